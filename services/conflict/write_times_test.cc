// Which write of theirs counts at a place, from single pointers to whole calls.
#include "services/conflict/write_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "services/conflict/resolve.h"
#include "services/conflict/rules_testing.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kNowMs = 1'700'000'000'000;

int64_t Ago(int64_t minutes) { return kNowMs - minutes * kMinuteMs; }

TEST(MayTouch, OneHoldsTheOther) {
  EXPECT_TRUE(MayTouch("", "/a/b"));
  EXPECT_TRUE(MayTouch("/a", "/a/b"));
  EXPECT_TRUE(MayTouch("/a/b/c", "/a/b"));
  EXPECT_TRUE(MayTouch("/a/b", ""));
  EXPECT_TRUE(MayTouch("/a~1b/~0", "/a~1b/~0"));
  EXPECT_FALSE(MayTouch("/a/c", "/a/b"));
  EXPECT_FALSE(MayTouch("/ab", "/a"));
  EXPECT_FALSE(MayTouch("/a", "/ab"));
}

TEST(MayTouch, APositionMayBeAnyElementOfAKeyedList) {
  EXPECT_TRUE(MayTouch("/lines/3/quantity", "/lines/id=7/quantity"));
  EXPECT_TRUE(MayTouch("/lines/3/price", "/lines/id=7/quantity"));
  EXPECT_FALSE(MayTouch("/lines/x", "/lines/id=7"));
  EXPECT_FALSE(MayTouch("/notes/3", "/lines/id=7"));
}

class WriteTimesTest : public ::testing::Test {
 protected:
  // A meeting of base {"a":0,"b":0}, written three hours ago.
  v1::ResolveItem& Add(const std::string& theirs, const std::string& ours,
                       int64_t ours_minutes_ago) {
    v1::ResolveItem& item = *request_.add_items();
    item.set_op_id("op" + std::to_string(request_.items_size()));
    item.mutable_entity()->set_space("s");
    item.mutable_entity()->set_entity_type("note");
    item.mutable_entity()->set_entity_id("e");
    Set(R"({"a":0,"b":0})", Ago(180), 0, *item.mutable_base());
    Set(theirs, Ago(1), 0, *item.mutable_theirs());
    Set(ours, 0, Ago(ours_minutes_ago), *item.mutable_ours());
    return item;
  }
  // One that meets the outcome of the one before it.
  v1::ResolveItem& AddAfter(const std::string& ours, int64_t ours_minutes_ago) {
    v1::ResolveItem& item = Add("", ours, ours_minutes_ago);
    item.clear_theirs();
    item.mutable_theirs()->set_version_id("5-0000000000000005");
    item.mutable_theirs()->set_client_time_ms(
        request_.items(request_.items_size() - 2).ours().client_time_ms());
    item.set_theirs_item(static_cast<uint32_t>(request_.items_size()) - 1);
    return item;
  }
  static void Set(const std::string& data, int64_t time_ms, int64_t client_time_ms,
                  v1::Side& side) {
    side.set_exists(true);
    side.set_data(data);
    side.set_time_ms(time_ms);
    side.set_client_time_ms(client_time_ms);
  }
  static void Wrote(const std::string& path, int64_t minutes_ago, v1::ResolveItem& item) {
    v1::Write& write = *item.add_theirs_writes();
    write.add_changed_paths(path);
    write.set_client_time_ms(Ago(minutes_ago));
    write.set_time_ms(Ago(0));
  }
  Resolved Decide() {
    const ResolveContext context{.limits = limits_, .rules = *rules_, .now_ms = kNowMs};
    return conflict::Resolve(request_, context);
  }
  // What became of each item.
  std::vector<std::string> Merged() {
    std::vector<std::string> merged;
    const Resolved decided = Decide();
    for (const v1::ResolveResult& result : decided.response.results()) {
      merged.push_back(result.has_error()      ? result.error().code()
                       : result.wants_writes() ? "wants writes"
                                               : result.merged().data());
    }
    return merged;
  }

  const ResolveLimits limits_;
  std::shared_ptr<const ActiveRules> rules_ = RulesOf({});
  v1::ResolveRequest request_;
};

TEST_F(WriteTimesTest, TheLastWriteOfThePlaceCountsAndNotTheHeads) {
  v1::ResolveItem& item = Add(R"({"a":1,"b":1})", R"({"a":2,"b":2})", 30);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":1})")) << "as a whole theirs is later";
  Wrote("/a", 90, item);
  Wrote("/a", 60, item);
  Wrote("/b", 10, item);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":2,"b":1})"));
  request_.mutable_items(0)->mutable_ours()->set_client_time_ms(Ago(75));
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":1})"));
}

TEST_F(WriteTimesTest, WhatNobodyWroteWasWrittenWithTheHead) {
  Wrote("/c", 90, Add(R"({"a":1,"b":0})", R"({"a":2,"b":0})", 30));
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":0})"));
}

TEST_F(WriteTimesTest, FirstWriteComparesTheSameTimes) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.*","rule":"first_write"}]})"}});
  v1::ResolveItem& item = Add(R"({"a":1,"b":1})", R"({"a":2,"b":2})", 30);
  Wrote("/a", 60, item);
  Wrote("/b", 10, item);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":2})"));
}

TEST_F(WriteTimesTest, ACloseCallIsOneOfThePlace) {
  v1::ResolveItem& item = Add(R"({"a":1,"b":1})", R"({"a":2,"b":2})", 30);
  Wrote("/a", 60, item);
  Wrote("/b", 29, item);
  const v1::ResolveResult result = Decide().response.results(0);
  ASSERT_EQ(result.decisions_size(), 2);
  EXPECT_FALSE(result.decisions(0).close_call());
  EXPECT_TRUE(result.decisions(1).close_call());
}

TEST_F(WriteTimesTest, WhereTimesDecideItAsksForThemAndElsewhereItDoesNot) {
  Add(R"({"a":1,"b":0})", R"({"a":0,"b":2})", 30).set_can_tell_writes(true);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":2})")) << "nothing met";
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"max"}]})"}});
  Add(R"({"a":1,"b":0})", R"({"a":2,"b":0})", 30).set_can_tell_writes(true);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":2})", R"({"a":2,"b":0})")) << "no times";
  Add(R"({"a":1,"b":1})", R"({"a":1,"b":2})", 30).set_can_tell_writes(true);
  AddAfter(R"({"a":7,"b":0})", 20);
  Add(R"({"a":1,"b":0})", R"({"a":3,"b":0})", 30);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":2})", R"({"a":2,"b":0})", "wants writes",
                                    "wants writes", R"({"a":3,"b":0})"));
  const v1::ResolveResult undecided = Decide().response.results(2);
  EXPECT_FALSE(undecided.has_merged());
  EXPECT_EQ(undecided.decisions_size(), 0);
}

TEST_F(WriteTimesTest, WhatItemsOfTheCallWroteIsKnown) {
  // The head wrote b; the first item a, an hour ago, over what the base had.
  Wrote("/b", 10, Add(R"({"a":0,"b":1})", R"({"a":1,"b":0})", 60));
  Wrote("/b", 10, AddAfter(R"({"a":2,"b":0})", 90));  // Older than the first item.
  Wrote("/b", 10, AddAfter(R"({"a":3,"b":3})", 30));  // Later than it, and than b no.
  Wrote("/b", 10, AddAfter(R"({"a":0,"b":4})", 5));   // Later than b.
  Wrote("/b", 10, AddAfter(R"({"a":5,"b":5})", 20));  // Later than a, and than b no.
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":1})", R"({"a":1,"b":1})", R"({"a":3,"b":1})",
                                    R"({"a":3,"b":4})", R"({"a":5,"b":4})"));
}

TEST_F(WriteTimesTest, TheMakerOfAHeadThatIsNotStoredYetHasAClockToo) {
  Add(R"({"a":0,"b":0})", R"({"a":1,"b":0})", 10);
  AddAfter(R"({"a":2,"b":0})", 60);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":1,"b":0})", R"({"a":1,"b":0})"));
}

TEST_F(WriteTimesTest, MoreVersionsThanTheLimitAreRefused) {
  v1::ResolveItem& item = Add(R"({"a":1,"b":0})", R"({"a":2,"b":0})", 30);
  for (int i = 0; i < kWritesMax; ++i) Wrote("/a", 60, item);
  EXPECT_THAT(Merged(), ElementsAre(R"({"a":2,"b":0})"));
  Wrote("/a", 60, item);
  EXPECT_THAT(Merged(), ElementsAre("invalid_argument"));
}

}  // namespace
}  // namespace bdcsync::conflict
