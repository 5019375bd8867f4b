#include "services/conflict/conformance/rule_set_storage_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;

constexpr int kAll = 1000;

NewRuleSet SetOf(const std::string& type, const std::string& rules,
                 const std::string& author = "ada") {
  NewRuleSet added;
  added.set.set_entity_type(type);
  added.set.set_rules(rules);
  added.set.set_author(author);
  added.set.set_time_ms(1'700'000'000'000);
  added.types_max = kAll;
  return added;
}

NewRuleSet Expecting(NewRuleSet added, int64_t version) {
  added.expected_version = version;
  return added;
}

std::vector<std::string> Names(const absl::StatusOr<std::vector<v1::RuleSet>>& sets) {
  EXPECT_OK(sets);
  std::vector<std::string> names;
  if (!sets.ok()) return names;
  for (const v1::RuleSet& set : *sets) {
    names.push_back(absl::StrCat(set.entity_type(), set.version(), set.active() ? "!" : ""));
  }
  return names;
}

}  // namespace

void RuleSetStorageConformance::SetUp() {
  home_ = GetParam().make();
  if (home_ == nullptr) return;  // `make` has skipped or failed the test.
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

void RuleSetStorageConformance::Reopen() {
  if (!home_->durable()) return;
  storage_.reset();
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

namespace {

TEST_P(RuleSetStorageConformance, WhatWasPutIsReadBackWhole) {
  const std::string rules = std::string("{\"rules\": []}\n\0", 15) + "\xe2\x82\xac";
  ASSERT_OK_AND_ASSIGN(const v1::RuleSet put,
                       storage().Put(SetOf("caf\xc3\xa9", rules, "ada \xe2\x82\xac")));
  EXPECT_EQ(put.version(), 1);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto holding, storage().Get("caf\xc3\xa9", 0));
  ASSERT_TRUE(holding.has_value());
  EXPECT_EQ(holding->SerializeAsString(), put.SerializeAsString());
  EXPECT_EQ(holding->rules(), rules);
  EXPECT_TRUE(holding->active());
}

TEST_P(RuleSetStorageConformance, OneVersionOfATypeHoldsAndAllAreKept) {
  for (const char* rules : {"a", "b", "c"}) ASSERT_OK(storage().Put(SetOf("note", rules)));
  ASSERT_OK(storage().Put(SetOf("task", "t")));
  Reopen();
  EXPECT_THAT(Names(storage().ListVersions("note", 0, kAll)),
              ElementsAre("note3!", "note2", "note1"));
  EXPECT_THAT(Names(storage().ListHolding("", kAll)), ElementsAre("note3!", "task1!"));
  EXPECT_EQ((*storage().Get("note", 2))->rules(), "b");
  EXPECT_EQ((*storage().Get("note", 0))->rules(), "c");
  EXPECT_FALSE(storage().Get("note", 4)->has_value());
  EXPECT_FALSE(storage().Get("none", 0)->has_value());
}

TEST_P(RuleSetStorageConformance, RemovedRulesHoldNoMoreAndVersionsGoOn) {
  ASSERT_OK(storage().Put(SetOf("note", "a", "file")));
  ASSERT_OK_AND_ASSIGN(const bool removed, storage().Remove("note", "eve"));
  EXPECT_TRUE(removed);
  ASSERT_OK_AND_ASSIGN(const bool again, storage().Remove("note", "bob"));
  EXPECT_FALSE(again);
  Reopen();
  EXPECT_THAT(Names(storage().ListHolding("", kAll)), IsEmpty());
  EXPECT_EQ((*storage().LatestOf("note", "file"))->removed_by, "eve");
  ASSERT_OK_AND_ASSIGN(const v1::RuleSet next, storage().Put(SetOf("note", "b")));
  EXPECT_EQ(next.version(), 2);
}

TEST_P(RuleSetStorageConformance, TheLatestOfAnAuthorIsFound) {
  for (const char* author : {"file", "ada", "file", "ada"}) {
    ASSERT_OK(storage().Put(SetOf("note", "x", author)));
  }
  EXPECT_EQ((*storage().LatestOf("note", "file"))->set.version(), 3);
  EXPECT_EQ((*storage().LatestOf("note", "file"))->removed_by, "");
  EXPECT_FALSE(storage().LatestOf("note", "eve")->has_value());
  EXPECT_FALSE(storage().LatestOf("task", "file")->has_value());
}

TEST_P(RuleSetStorageConformance, TheExpectedVersionMustHold) {
  EXPECT_THAT(storage().Put(Expecting(SetOf("note", "a"), 1)).status(),
              HasReason(Reason::kPreconditionFailed));
  ASSERT_OK(storage().Put(Expecting(SetOf("note", "a"), 0)));
  EXPECT_THAT(storage().Put(Expecting(SetOf("note", "b"), 0)).status(),
              HasReason(Reason::kPreconditionFailed));
  ASSERT_OK(storage().Put(Expecting(SetOf("note", "b"), 1)));
  ASSERT_OK(storage().Remove("note", ""));
  EXPECT_THAT(storage().Put(Expecting(SetOf("note", "c"), 2)).status(),
              HasReason(Reason::kPreconditionFailed));
  ASSERT_OK(storage().Put(Expecting(SetOf("note", "c"), 0)));
  EXPECT_THAT(Names(storage().ListVersions("note", 0, kAll)),
              ElementsAre("note3!", "note2", "note1"));
}

TEST_P(RuleSetStorageConformance, AsManyTypesHaveRulesAsMayAndNoMore) {
  const auto put = [this](const std::string& type) {
    NewRuleSet added = SetOf(type, "x");
    added.types_max = 2;
    return storage().Put(added).status();
  };
  EXPECT_OK(put("a"));
  EXPECT_OK(put("b"));
  EXPECT_THAT(put("c"), HasReason(Reason::kQuotaExceeded));
  EXPECT_OK(put("b"));
  ASSERT_OK(storage().Remove("a", ""));
  EXPECT_OK(put("c"));
}

TEST_P(RuleSetStorageConformance, TheRevisionGrowsWithEveryChange) {
  std::vector<int64_t> revisions = {*storage().Revision()};
  ASSERT_OK(storage().Put(SetOf("note", "a")));
  revisions.push_back(*storage().Revision());
  ASSERT_OK(storage().Put(SetOf("note", "b")));
  revisions.push_back(*storage().Revision());
  ASSERT_OK(storage().Remove("note", ""));
  revisions.push_back(*storage().Revision());
  for (size_t i = 1; i < revisions.size(); ++i) EXPECT_GT(revisions[i], revisions[i - 1]);
  ASSERT_OK(storage().Put(SetOf("task", "t")));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const RuleSetsThatHold holding, storage().ReadHolding());
  EXPECT_EQ(holding.revision, *storage().Revision());
  EXPECT_THAT(Names(holding.sets), ElementsAre("task1!"));
  const int64_t before = *storage().Revision();
  EXPECT_FALSE(storage().Put(Expecting(SetOf("task", "u"), 7)).ok());
  EXPECT_EQ(*storage().Revision(), before) << "refused: nothing changed";
}

TEST_P(RuleSetStorageConformance, ListsMeetWithoutHoleOrOverlap) {
  for (const char* type : {"b", "a", "B", "\xc3\xa4", "ab"}) {
    ASSERT_OK(storage().Put(SetOf(type, "x")));
  }
  for (int i = 0; i < 4; ++i) ASSERT_OK(storage().Put(SetOf("a", "x")));
  for (const int limit : {1, 2, 4, 5, 6}) {
    std::vector<std::string> types;
    for (std::string after;;) {
      ASSERT_OK_AND_ASSIGN(const auto page, storage().ListHolding(after, limit));
      ASSERT_LE(page.size(), static_cast<size_t>(limit));
      if (page.empty()) break;
      for (const v1::RuleSet& set : page) types.push_back(set.entity_type());
      after = page.back().entity_type();
    }
    EXPECT_THAT(types, ElementsAre("B", "a", "ab", "b", "\xc3\xa4")) << limit;
    std::vector<int64_t> versions;
    for (int64_t before = 0;;) {
      ASSERT_OK_AND_ASSIGN(const auto page, storage().ListVersions("a", before, limit));
      if (page.empty()) break;
      for (const v1::RuleSet& set : page) versions.push_back(set.version());
      before = page.back().version();
    }
    EXPECT_THAT(versions, ElementsAre(5, 4, 3, 2, 1)) << limit;
  }
}

TEST_P(RuleSetStorageConformance, OfTwoWritersOnOneVersionExactlyOneWins) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> won{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        NewRuleSet added = Expecting(SetOf("note", absl::StrCat(i)), round);
        const absl::Status put = storage().Put(added).status();
        if (put.ok()) {
          ++won;
        } else {
          EXPECT_EQ(PathOf(put), "expected_version") << put;
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(won, 1);
  }
  EXPECT_EQ((*storage().Get("note", 0))->version(), kRounds);
}

TEST_P(RuleSetStorageConformance, AnotherProcessSeesWhatWasPut) {
  if (!home().durable()) return;
  const std::unique_ptr<RuleSetStorage> other = home().Open();
  ASSERT_NE(other, nullptr);
  const int64_t before = *other->Revision();
  ASSERT_OK(storage().Put(SetOf("note", "a")));
  EXPECT_GT(*other->Revision(), before);
  EXPECT_EQ((*other->Get("note", 0))->rules(), "a");
}

}  // namespace
}  // namespace bdcsync::conflict
