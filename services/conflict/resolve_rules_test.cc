// What Resolve makes of rule sets: by entity type, by time, by script, and of what people decide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/conflict/opening.h"
#include "services/conflict/resolve.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr int64_t kHourMs = 3600'000;

v1::Side SideOf(const std::string& data) {
  v1::Side side;
  side.set_exists(data != "-");
  if (side.exists()) side.set_data(data);
  return side;
}

v1::ResolveItem Item(const std::string& type, const std::string& base, const std::string& theirs,
                     const std::string& ours) {
  v1::ResolveItem item;
  item.set_op_id("op");
  item.mutable_entity()->set_space("s");
  item.mutable_entity()->set_entity_type(type);
  item.mutable_entity()->set_entity_id("a");
  *item.mutable_base() = SideOf(base);
  *item.mutable_theirs() = SideOf(theirs);
  *item.mutable_ours() = SideOf(ours);
  item.mutable_base()->set_version_id("1-0000000000000001");
  item.mutable_theirs()->set_version_id("2-0000000000000002");
  item.mutable_ours()->set_user_id("ada");
  item.mutable_ours()->set_device_id("phone");
  item.mutable_ours()->set_app_version("1.2");
  return item;
}

class ResolveRules : public ::testing::Test {
 protected:
  Resolved ResolveAll(const std::vector<v1::ResolveItem>& items) {
    v1::ResolveRequest request;
    for (const v1::ResolveItem& item : items) *request.add_items() = item;
    return Resolve(request, {.limits = limits_,
                             .rules = *rules_,
                             .now_ms = kNowMs,
                             .on_script =
                                 [this](absl::string_view type, const absl::Status& run) {
                                   runs_.push_back(absl::StrCat(type, " ", run.ok()));
                                 },
                             .ask_remote = ask_remote_});
  }
  v1::ResolveResult ResolveOne(const v1::ResolveItem& item) {
    return ResolveAll({item}).response.results(0);
  }

  ResolveLimits limits_;
  std::shared_ptr<const ActiveRules> rules_ = std::make_shared<const ActiveRules>();
  std::vector<std::string> runs_;
  std::function<merge::Answer(int, const merge::Question&)> ask_remote_;
};

TEST_F(ResolveRules, EntityTypesOfOneBatchMergeEachByItsOwnRules) {
  rules_ = RulesOf({{"stock", R"({"rules":[{"path":"$.n","rule":"counter"}]})"},
                    {"bid", R"({"rules":[{"path":"$.n","rule":"max"}]})"}},
                   7);
  std::vector<v1::ResolveItem> items;
  for (const char* type : {"stock", "bid", "note"}) {
    items.push_back(Item(type, R"({"n":5})", R"({"n":7})", R"({"n":6})"));
  }
  const Resolved resolved = ResolveAll(items);
  EXPECT_EQ(resolved.response.results(0).merged().data(), R"({"n":8})");
  EXPECT_EQ(resolved.response.results(1).merged().data(), R"({"n":7})");
  EXPECT_EQ(resolved.response.results(2).merged().data(), R"({"n":6})");
  EXPECT_THAT(resolved.rule_set_versions, ElementsAre(7, 7, 0));
  const v1::Decision& sum = resolved.response.results(0).decisions(0);
  EXPECT_EQ(sum.chosen(), "merged");
  EXPECT_EQ(sum.result(), "8");
  EXPECT_EQ(sum.kind(), "none");
}

TEST_F(ResolveRules, TheLaterWriterWinsNotTheLaterNetwork) {
  v1::ResolveItem item = Item("note", R"({"n":1})", R"({"n":2})", R"({"n":3})");
  item.mutable_base()->set_time_ms(kNowMs - 10 * kHourMs);
  item.mutable_theirs()->set_time_ms(kNowMs - kHourMs);
  item.mutable_ours()->set_client_time_ms(kNowMs - 2 * kHourMs);
  const v1::ResolveResult earlier = ResolveOne(item);
  EXPECT_EQ(earlier.merged().data(), R"({"n":2})");
  EXPECT_EQ(earlier.decisions(0).chosen(), "theirs");
  EXPECT_FALSE(earlier.decisions(0).close_call());
  item.mutable_ours()->set_client_time_ms(kNowMs - kHourMs + 1000);
  const v1::ResolveResult near = ResolveOne(item);
  EXPECT_EQ(near.merged().data(), R"({"n":3})");
  EXPECT_TRUE(near.decisions(0).close_call());
  limits_.clock_skew_max = absl::ZeroDuration();
  EXPECT_FALSE(ResolveOne(item).decisions(0).close_call());
}

TEST_F(ResolveRules, ClocksThatAreWrongByHoursOrYearsNeverUndoTheBase) {
  for (const int64_t wrong_ms : {-kHourMs, kHourMs, -87'600 * kHourMs, 87'600 * kHourMs}) {
    v1::ResolveItem item = Item("note", R"({"n":1,"m":1})", R"({"n":1,"m":2})", R"({"n":3,"m":1})");
    item.mutable_base()->set_time_ms(kNowMs - 10 * kHourMs);
    item.mutable_base()->set_client_time_ms(kNowMs);
    item.mutable_theirs()->set_time_ms(kNowMs - kHourMs);
    item.mutable_ours()->set_client_time_ms(kNowMs + wrong_ms);
    EXPECT_EQ(ResolveOne(item).merged().data(), R"({"n":3,"m":2})") << wrong_ms;
  }
}

TEST_F(ResolveRules, OnlyWhatTimesDecidedIsACloseCall) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"max"}],"else":"first_write"})"}});
  v1::ResolveItem item = Item("note", R"({"a":1,"b":1})", R"({"a":2,"b":2})", R"({"a":3,"b":3})");
  item.mutable_theirs()->set_time_ms(kNowMs - 1000);
  item.mutable_ours()->set_client_time_ms(kNowMs);
  const v1::ResolveResult result = ResolveOne(item);
  ASSERT_EQ(result.decisions_size(), 2);
  EXPECT_FALSE(result.decisions(0).close_call());
  EXPECT_EQ(result.decisions(1).rule(), "first_write");
  EXPECT_TRUE(result.decisions(1).close_call());
}

TEST_F(ResolveRules, ScriptsKnowTheMeeting) {
  rules_ =
      RulesOf({{"note", R"j({"rules":[{"path":"$.n","rule":"script","script":)j"
                        R"j("return meta.space..meta.entity_type..meta.entity_id..meta.path)j"
                        R"j(..meta.kind..meta.later..meta.ours_user..meta.ours_device)j"
                        R"j(..meta.app_version..meta.ours_time..' '..meta.theirs_time"}]})j"}});
  v1::ResolveItem item = Item("note", R"({"n":1})", R"({"n":2})", R"({"n":3})");
  item.mutable_theirs()->set_time_ms(5);
  item.mutable_ours()->set_client_time_ms(4);
  EXPECT_EQ(ResolveOne(item).merged().data(), R"({"n":"snotea/nedit_edittheirsadaphone1.24 5"})");
  EXPECT_THAT(runs_, ElementsAre("note 1"));
}

TEST_F(ResolveRules, AFailingScriptIsToldOfAndItsElseDecides) {
  rules_ = RulesOf(
      {{"note",
        R"j({"rules":[{"path":"$.n","rule":"script","script":"error('no')","else":"theirs"}]})j"}});
  const v1::ResolveResult result =
      ResolveOne(Item("note", R"({"n":1})", R"({"n":2})", R"({"n":3})"));
  EXPECT_EQ(result.merged().data(), R"({"n":2})");
  EXPECT_EQ(result.decisions(0).rule(), "theirs");
  EXPECT_THAT(runs_, ElementsAre("note 0"));
}

TEST_F(ResolveRules, OtherProgramsAreAskedForTheItem) {
  rules_ = RulesOf(
      {{"note", R"({"rules":[],"else":{"rule":"remote","resolver":"r","else":"theirs"}})"}});
  const v1::ResolveItem item = Item("note", "1", "2", "3");
  EXPECT_EQ(ResolveOne(item).merged().data(), "2") << "nobody asks them";
  ask_remote_ = [](int index, const merge::Question& question) {
    EXPECT_EQ(question.rule.resolver, "r");
    return merge::Answer{.kind = merge::Answer::Kind::kValue, .value = json::Value(index)};
  };
  const Resolved resolved = ResolveAll({item, item});
  EXPECT_EQ(resolved.response.results(0).merged().data(), "0");
  EXPECT_EQ(resolved.response.results(1).merged().data(), "1");
}

TEST_F(ResolveRules, WhatAPersonMustDecideKeepsTheWholeChangeOut) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"ask"}]})"}}, 3);
  const v1::ResolveResult result =
      ResolveOne(Item("note", R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":3,"b":3})"));
  EXPECT_EQ(result.merged().data(), R"({"a":2,"b":1})") << "theirs";
  EXPECT_EQ(result.decisions_size(), 0);
  EXPECT_EQ(KindOf(result), MeetingKind::kAsked);
  ASSERT_TRUE(result.has_conflict());
  const v1::Conflict& conflict = result.conflict();
  EXPECT_EQ(conflict.conflict_id(), ConflictIdOf("s", "op"));
  EXPECT_EQ(conflict.branch(), "conflict/" + conflict.conflict_id());
  EXPECT_EQ(conflict.state(), v1::CONFLICT_STATE_OPENING);
  EXPECT_EQ(conflict.op_id(), "op");
  EXPECT_EQ(conflict.entity().branch(), "main");
  EXPECT_EQ(conflict.base_version_id(), "1-0000000000000001");
  EXPECT_EQ(conflict.theirs_version_id(), "2-0000000000000002");
  EXPECT_EQ(conflict.ours_version_id(), "");
  EXPECT_EQ(conflict.user_id(), "ada");
  EXPECT_EQ(conflict.device_id(), "phone");
  EXPECT_EQ(conflict.app_version(), "1.2");
  EXPECT_EQ(conflict.opened_ms(), kNowMs);
  EXPECT_EQ(conflict.deadline_ms(), kNowMs + 72 * kHourMs);
  EXPECT_EQ(conflict.rule_set_version(), 3);
  EXPECT_EQ(conflict.assigned_to(), "");
  ASSERT_EQ(conflict.places_size(), 1);
  EXPECT_EQ(conflict.places(0).fallback(), "proposed");
  const v1::Decision& place = conflict.places(0).decision();
  EXPECT_EQ(place.path(), "/a");
  EXPECT_EQ(place.rule(), "ask");
  EXPECT_EQ(place.kind(), "edit_edit");
  EXPECT_EQ(place.base(), "1");
  EXPECT_EQ(place.theirs(), "2");
  EXPECT_EQ(place.ours(), "3");
  EXPECT_EQ(place.chosen(), "");
}

TEST_F(ResolveRules, TheEarliestDeadlineAndTheFirstUserCount) {
  rules_ = RulesOf({{"note", R"({"rules":[
      {"path":"$.a","rule":"ask","deadline":"5h","fallback":"theirs"},
      {"path":"$.b","rule":"ask","deadline":"2h","assign_to":"eve"},
      {"path":"$.c","rule":"ask","assign_to":"bob"}]})"}});
  limits_.ask_deadline = absl::Hours(3);
  limits_.ask_fallback = merge::Pick::kOurs;
  const v1::ResolveResult result = ResolveOne(
      Item("note", R"({"a":1,"b":1,"c":1})", R"({"a":2,"b":2,"c":2})", R"({"a":3,"b":3,"c":3})"));
  EXPECT_EQ(result.conflict().deadline_ms(), kNowMs + 2 * kHourMs);
  EXPECT_EQ(result.conflict().assigned_to(), "eve");
  EXPECT_EQ(result.conflict().places(0).fallback(), "theirs");
  EXPECT_EQ(result.conflict().places(1).fallback(), "ours");
}

TEST_F(ResolveRules, AChangeBehindAConflictMeetsTheirs) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"ask"}]})"}});
  v1::ResolveItem second = Item("note", R"({"a":1,"b":1})", "-", R"({"a":1,"b":4})");
  second.set_theirs_item(1);
  const Resolved resolved = ResolveAll(
      {Item("note", R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":3,"b":3})"), second});
  EXPECT_TRUE(resolved.response.results(0).has_conflict());
  EXPECT_FALSE(resolved.response.results(1).has_conflict());
  EXPECT_EQ(resolved.response.results(1).merged().data(), R"({"a":2,"b":4})");
}

TEST_F(ResolveRules, NobodyIsAskedWithoutAskingOrOnABranch) {
  rules_ = RulesOf({{"note", R"({"rules":[],"else":"ask"})"}});
  v1::ResolveItem item = Item("note", "1", "2", "3");
  EXPECT_TRUE(ResolveOne(item).has_conflict());
  item.mutable_entity()->set_branch("main");
  EXPECT_TRUE(ResolveOne(item).has_conflict());
  item.mutable_entity()->set_branch("draft");
  EXPECT_FALSE(ResolveOne(item).has_conflict());
  EXPECT_EQ(ResolveOne(item).decisions(0).rule(), "lww");
  item.mutable_entity()->set_branch("");
  item.set_without_asking(true);
  EXPECT_EQ(ResolveOne(item).merged().data(), "3");
}

TEST_F(ResolveRules, MoreOpenPlacesThanTheLimitBecomeOneForTheWholeValue) {
  rules_ = RulesOf({{"note", R"({"rules":[],"else":{"rule":"ask","fallback":"theirs"}})"}});
  const auto document = [](size_t members, int value) {
    std::string text = "{";
    for (size_t i = 0; i < members; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"", i, "\":", value);
    }
    return text + "}";
  };
  const auto conflict = [&](size_t members) {
    return ResolveOne(
               Item("note", document(members, 0), document(members, 1), document(members, 2)))
        .conflict();
  };
  EXPECT_EQ(conflict(kOpenPlacesMax - 1).places_size(), static_cast<int>(kOpenPlacesMax) - 1);
  EXPECT_EQ(conflict(kOpenPlacesMax).places_size(), static_cast<int>(kOpenPlacesMax));
  const v1::Conflict whole = conflict(kOpenPlacesMax + 1);
  ASSERT_EQ(whole.places_size(), 1);
  EXPECT_EQ(whole.places(0).decision().path(), "");
  EXPECT_EQ(whole.places(0).decision().ours(), document(kOpenPlacesMax + 1, 2));
  EXPECT_EQ(whole.places(0).decision().chosen(), "");
  EXPECT_EQ(whole.places(0).fallback(), "theirs");
}

TEST_F(ResolveRules, OpenPlacesWithLongPathsBecomeOneForTheWholeValue) {
  rules_ = RulesOf({{"note", R"({"rules":[],"else":"ask"})"}});
  const auto document = [](size_t name_bytes, int value) {
    return absl::StrCat("{\"", std::string(name_bytes, 'n'), "\":{\"a\":", value, "},\"b\":", value,
                        "}");
  };
  const auto conflict = [&](size_t name_bytes) {
    return ResolveOne(Item("note", document(name_bytes, 0), document(name_bytes, 1),
                           document(name_bytes, 2)))
        .conflict();
  };
  constexpr size_t kAround = 5;  // "/", "/a" and "/b".
  constexpr size_t kNameBytesMax = kOpenPlacesMax * kToldPathBytes - kAround;
  EXPECT_EQ(conflict(kNameBytesMax).places_size(), 2);
  const v1::Conflict whole = conflict(kNameBytesMax + 1);
  ASSERT_EQ(whole.places_size(), 1);
  EXPECT_EQ(whole.places(0).decision().path(), "");
  EXPECT_EQ(whole.places(0).decision().ours(), document(kNameBytesMax + 1, 2));
}

TEST_F(ResolveRules, PlacesInListsSayWhereTheyAre) {
  rules_ = RulesOf({{"note", R"({"rules":[],"else":"ask"})"}});
  const v1::ResolveResult result = ResolveOne(Item("note", "[1,2,3]", "[0,1,4,3]", "[1,5,3]"));
  const v1::Region& region = result.conflict().places(0).decision().region();
  EXPECT_EQ(region.base_begin(), 1);
  EXPECT_EQ(region.theirs_begin(), 2);
  EXPECT_EQ(region.ours_begin(), 1);
  EXPECT_EQ(region.result_begin(), 2);
}

TEST(ConflictId, StandsForSpaceAndOperation) {
  EXPECT_EQ(ConflictIdOf("s", "op").size(), 32u);
  // python3 -c 'import hashlib; print(hashlib.sha256(b"s\0op").hexdigest()[:32])'
  EXPECT_EQ(ConflictIdOf("s", "op"), "04d4486c74a1defcbe582cade40350c1");
  EXPECT_NE(ConflictIdOf("s", "op"), ConflictIdOf("so", "p"));
  EXPECT_THAT(BranchOf("x"), StartsWith("conflict/"));
}

}  // namespace
}  // namespace bdcsync::conflict
