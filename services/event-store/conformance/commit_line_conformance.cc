// What every storage's CommitLine must do.

#include <gmock/gmock.h>

#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/event_storage_conformance.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;
using CommitPtr = std::unique_ptr<CommitLine::Commit>;

// As the log will be.
LogState After(const LogWrite& write) {
  return {write.log_id, write.epoch, write.next_position, write.next_space_id};
}

std::vector<bool> AnswerOf(CommitLine::Commit& commit) {
  const absl::StatusOr<std::vector<bool>> answer = commit.Await();
  EXPECT_OK(answer);
  return answer.value_or(std::vector<bool>());
}

}  // namespace

TEST_P(EventStorageConformance, ALineAppliesWhatItIsGivenAndAnswersForEachLog) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  const std::vector<LogWrite> writes = {Write(0, 2), Write(1, 1)};
  const CommitPtr commit = line->Prepare(writes);
  commit->Send(0);
  EXPECT_THAT(AnswerOf(*commit), ElementsAre(true, true));
  LogWrite late = writes[0];
  const std::vector<LogWrite> more = {late, Write(1, 1)};
  const CommitPtr second = line->Prepare(more);
  second->Send(0);
  EXPECT_THAT(AnswerOf(*second), ElementsAre(false, true));
  EXPECT_EQ(Log(0).next_position, 3);
  EXPECT_EQ(Log(1).next_position, 3);
}

// Partitions of the events are made as they are needed.
TEST_P(EventStorageConformance, ALineGoesOnForAsManyEventsAsItIsGiven) {
  constexpr int kCommits = 8;
  constexpr int kEvents = 4;
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  for (int i = 0; i < kCommits; ++i) {
    const std::vector<LogWrite> writes = {Write(0, kEvents)};
    const CommitPtr commit = line->Prepare(writes);
    commit->Send(0);
    ASSERT_THAT(AnswerOf(*commit), ElementsAre(true)) << i;
  }
  EXPECT_EQ(Log(0).next_position, 1 + kCommits * kEvents);
}

TEST_P(EventStorageConformance, WhatIsSentBehindACommitIsAppliedOnTopOfIt) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  const std::vector<LogWrite> first = {Write(0, 2)};
  const std::vector<LogWrite> second = {WriteOn(After(first[0]), 3)};
  const CommitPtr before = line->Prepare(first);
  const CommitPtr behind = line->Prepare(second);
  if (before->id() == 0) GTEST_SKIP() << "sends nothing ahead";
  EXPECT_NE(before->id(), behind->id());
  before->Send(0);
  behind->Send(before->id());
  EXPECT_THAT(AnswerOf(*behind), ElementsAre(true));
  EXPECT_THAT(AnswerOf(*before), ElementsAre(true));
  EXPECT_EQ(Log(0).next_position, 6);
}

// Another's commit of as many events moves the log to where the second one wants it to be.
TEST_P(EventStorageConformance, WhatIsSentBehindALostRaceIsNotAppliedThoughThePositionFits) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  const std::vector<LogWrite> first = {Write(0, 2), Write(1, 2)};
  const std::vector<LogWrite> second = {WriteOn(After(first[0]), 2), Write(2, 2)};
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> other, storage().Commit({first[0]}));
  ASSERT_THAT(other, ElementsAre(true));
  const CommitPtr before = line->Prepare(first);
  const CommitPtr behind = line->Prepare(second);
  if (before->id() == 0) GTEST_SKIP() << "sends nothing ahead";
  before->Send(0);
  behind->Send(before->id());
  EXPECT_THAT(AnswerOf(*before), ElementsAre(false, true));
  EXPECT_THAT(AnswerOf(*behind), ElementsAre(false, false));
  EXPECT_EQ(Log(0).next_position, 3);
  EXPECT_EQ(Log(2).next_position, 1);
}

TEST_P(EventStorageConformance, WhatIsSentBehindACommitThatFailsIsNotApplied) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  LogWrite with_key = Write(0, 2);
  with_key.operations.push_back({1, OperationKey(), 1, 2});
  ASSERT_OK(storage().Commit({with_key}));
  LogWrite again = Write(0, 2);
  again.operations.push_back({1, OperationKey(), 1, 4});
  const std::vector<LogWrite> first = {again};
  const std::vector<LogWrite> second = {Write(1, 2)};
  const std::vector<LogWrite> third = {Write(2, 2)};
  const CommitPtr before = line->Prepare(first);
  const CommitPtr behind = line->Prepare(second);
  const CommitPtr last = line->Prepare(third);
  if (before->id() == 0) GTEST_SKIP() << "sends nothing ahead";
  before->Send(0);
  behind->Send(before->id());
  last->Send(behind->id());
  EXPECT_THAT(before->Await(), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(AnswerOf(*behind), ElementsAre(false));
  EXPECT_THAT(AnswerOf(*last), ElementsAre(false));
  // The line goes on.
  const CommitPtr next = line->Prepare(third);
  next->Send(0);
  EXPECT_THAT(AnswerOf(*next), ElementsAre(true));
}

TEST_P(EventStorageConformance, ACommitRestsOnTheOneThatItNamesAndOnNoOther) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  const std::vector<LogWrite> first = {Write(0, 2)};
  const std::vector<LogWrite> second = {Write(1, 2)};
  const std::vector<LogWrite> third = {Write(2, 2)};
  const CommitPtr before = line->Prepare(first);
  const CommitPtr between = line->Prepare(second);
  const CommitPtr late = line->Prepare(third);
  if (before->id() == 0) GTEST_SKIP() << "sends nothing ahead";
  before->Send(0);
  between->Send(0);
  late->Send(before->id());
  EXPECT_THAT(AnswerOf(*before), ElementsAre(true));
  EXPECT_THAT(AnswerOf(*between), ElementsAre(true));
  EXPECT_THAT(AnswerOf(*late), ElementsAre(false));
}

// One event is the usual commit where little is to do, and has no name.
TEST_P(EventStorageConformance, ACommitThatHasNoNameIsAppliedInItsTurn) {
  const std::unique_ptr<CommitLine> line = storage().OpenLine(random_);
  const std::vector<LogWrite> first = {Write(0, 2)};
  const std::vector<LogWrite> second = {WriteOn(After(first[0]), 1)};
  const std::vector<LogWrite> third = {WriteOn(After(second[0]), 2)};
  const CommitPtr before = line->Prepare(first);
  const CommitPtr single = line->Prepare(second);
  const CommitPtr last = line->Prepare(third);
  EXPECT_EQ(single->id(), 0u);
  before->Send(0);
  EXPECT_THAT(AnswerOf(*before), ElementsAre(true));
  single->Send(0);
  EXPECT_THAT(AnswerOf(*single), ElementsAre(true));
  last->Send(0);
  EXPECT_THAT(AnswerOf(*last), ElementsAre(true));
}

}  // namespace bdcsync::event_store
