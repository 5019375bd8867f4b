#include "services/event-store/storage/commit_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "libs/testing/status_matchers.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;
using Applied = absl::StatusOr<std::vector<bool>>;

std::vector<LogWrite> WritesOf(std::initializer_list<std::size_t> events) {
  std::vector<LogWrite> writes;
  for (const std::size_t count : events) writes.emplace_back().events.resize(count);
  return writes;
}

TEST(CommitPartsTest, LogsAreDividedByTheirEvents) {
  EXPECT_EQ(FirstHalf(WritesOf({100, 100})), 1u);
  EXPECT_EQ(FirstHalf(WritesOf({50, 50, 100})), 2u);
  EXPECT_EQ(FirstHalf(WritesOf({150, 50, 50})), 1u);
  EXPECT_EQ(FirstHalf(WritesOf({40, 120, 80})), 2u);
}

TEST(CommitPartsTest, WhatIsSmallStaysWhole) {
  EXPECT_EQ(FirstHalf(WritesOf({64, 64})), 1u);
  EXPECT_EQ(FirstHalf(WritesOf({64, 63})), 2u) << "one event below the limit";
  EXPECT_EQ(FirstHalf({}), 0u);
}

TEST(CommitPartsTest, AHalfOfAFewEventsIsNotWorthTheTrip) {
  EXPECT_EQ(FirstHalf(WritesOf({500})), 1u);
  EXPECT_EQ(FirstHalf(WritesOf({500, 31})), 2u);
  EXPECT_EQ(FirstHalf(WritesOf({500, 32})), 1u);
}

TEST(CommitPartsTest, ResultsStandInTheOrderOfTheParts) {
  EXPECT_THAT(*Join({{2, std::vector{true, false}}, {1, std::vector{true}}}),
              ElementsAre(true, false, true));
}

TEST(CommitPartsTest, APartThatAssumedWrongBesideOneThatWasAppliedCountsAsNotApplied) {
  const Applied wrong = absl::AlreadyExistsError("");
  EXPECT_THAT(*Join({{2, wrong}, {1, std::vector{true}}}), ElementsAre(false, false, true));
  EXPECT_THAT(*Join({{1, std::vector{true}}, {2, wrong}}), ElementsAre(true, false, false));
  EXPECT_THAT(Join({{1, wrong}, {1, wrong}}), StatusIs(absl::StatusCode::kAlreadyExists));
}

// Wrong assumptions are planned again as if nothing was applied, so they must not cover the doubt.
TEST(CommitPartsTest, APartWithoutAnAnswerLeavesTheWholeWithoutOne) {
  const Applied unknown = absl::UnavailableError("");
  const Applied wrong = absl::AlreadyExistsError("");
  for (const Applied& other : {Applied(std::vector{true}), wrong, unknown}) {
    EXPECT_THAT(Join({{1, unknown}, {1, other}}), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(Join({{1, other}, {1, unknown}}), StatusIs(absl::StatusCode::kUnavailable));
  }
}

}  // namespace
}  // namespace bdcsync::event_store
