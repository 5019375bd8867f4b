#include "services/conflict/resolve.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"
#include "libs/json/parse.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {
namespace {

using Text = std::optional<std::string>;

constexpr int64_t kNowMs = 1'700'000'000'000;

v1::Side SideOf(const Text& text) {
  v1::Side side;
  side.set_exists(text.has_value());
  side.set_data(text.value_or(""));
  return side;
}

v1::ResolveItem Item(const Text& base, const Text& theirs, const Text& ours) {
  v1::ResolveItem item;
  item.set_op_id("op");
  item.mutable_entity()->set_space("s");
  item.mutable_entity()->set_entity_type("note");
  item.mutable_entity()->set_entity_id("a");
  *item.mutable_base() = SideOf(base);
  *item.mutable_theirs() = SideOf(theirs);
  *item.mutable_ours() = SideOf(ours);
  return item;
}

v1::ResolveResponse ResolveAll(const std::vector<v1::ResolveItem>& items,
                               const ResolveLimits& limits = {}) {
  v1::ResolveRequest request;
  for (const v1::ResolveItem& item : items) *request.add_items() = item;
  const ActiveRules rules;
  return Resolve(request, {.limits = limits, .rules = rules, .now_ms = kNowMs}).response;
}

v1::ResolveResult ResolveOne(const Text& base, const Text& theirs, const Text& ours,
                             const ResolveLimits& limits = {}) {
  return ResolveAll({Item(base, theirs, ours)}, limits).results(0);
}

TEST(Resolve, KeepsBothChangesWhereTheyDoNotOverlap) {
  const auto result = ResolveOne(R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":1,"b":2})");
  EXPECT_EQ(result.merged().data(), R"({"a":2,"b":2})");
  EXPECT_EQ(KindOf(result), MeetingKind::kClean);
}

TEST(Resolve, OfAnOverlapTheLaterCommitWinsAndTheLoserIsRecorded) {
  const auto result = ResolveOne(R"({"a":1})", R"({"a":2})", R"({"a":3})");
  EXPECT_EQ(result.merged().data(), R"({"a":3})");
  ASSERT_EQ(result.decisions_size(), 1);
  EXPECT_EQ(result.decisions(0).path(), "/a");
  EXPECT_EQ(result.decisions(0).rule(), "lww");
  EXPECT_EQ(result.decisions(0).base(), "1");
  EXPECT_EQ(result.decisions(0).theirs(), "2");
  EXPECT_EQ(result.decisions(0).ours(), "3");
  EXPECT_EQ(result.decisions(0).chosen(), "ours");
  EXPECT_EQ(KindOf(result), MeetingKind::kOverlap);
}

TEST(Resolve, AnEditWinsOverADeleteOnEitherSide) {
  const auto deleted_late = ResolveOne("1", "2", std::nullopt);
  EXPECT_EQ(deleted_late.merged().data(), "2");
  EXPECT_EQ(KindOf(deleted_late), MeetingKind::kDeleteOrEdit);
  const auto deleted_early = ResolveOne("1", std::nullopt, "2");
  EXPECT_EQ(deleted_early.merged().data(), "2");
  EXPECT_EQ(deleted_early.decisions(0).rule(), "edit_wins");
  EXPECT_TRUE(deleted_early.decisions(0).theirs().empty());
}

TEST(Resolve, WhatBothDeletedStaysDeleted) {
  const auto result = ResolveOne("1", std::nullopt, std::nullopt);
  EXPECT_FALSE(result.merged().exists());
  EXPECT_TRUE(result.merged().data().empty());
}

TEST(Resolve, NullIsAValue) {
  EXPECT_EQ(ResolveOne("1", "null", "1").merged().data(), "null");
  EXPECT_TRUE(ResolveOne("1", "null", "1").merged().exists());
}

TEST(Resolve, MalformedSidesAreNamed) {
  EXPECT_EQ(ResolveOne("{", "1", "1").error().path(), "base");
  EXPECT_EQ(ResolveOne("1", "", "1").error().path(), "theirs");
  EXPECT_EQ(ResolveOne("1", "1", "\xff").error().path(), "ours");
  EXPECT_EQ(ResolveOne("1", "1", "1 2").error().code(), "invalid_argument");
}

TEST(Resolve, MalformedKeysAreRefusedAlone) {
  v1::ResolveItem no_space = Item("1", "2", "3");
  no_space.mutable_entity()->clear_space();
  v1::ResolveItem no_op = Item("1", "2", "3");
  no_op.clear_op_id();
  v1::ResolveItem long_op = Item("1", "2", "3");
  long_op.set_op_id(std::string(kOperationIdBytesMax + 1, 'x'));
  v1::ResolveItem nul = Item("1", "2", "3");
  nul.mutable_ours()->set_user_id(std::string(1, '\0'));
  v1::ResolveItem good = Item("1", "2", "3");
  good.set_op_id(std::string(kOperationIdBytesMax, 'x'));
  const auto response = ResolveAll({no_space, no_op, long_op, nul, good});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(response.results(i).error().code(), "invalid_argument");
  EXPECT_EQ(response.results(4).merged().data(), "3");
}

TEST(Resolve, AnItemMayMeetTheOutcomeOfOneBeforeIt) {
  v1::ResolveItem second = Item(R"({"a":1,"b":1,"c":1})", std::nullopt, R"({"a":1,"b":1,"c":2})");
  second.set_theirs_item(1);
  const auto response = ResolveAll(
      {Item(R"({"a":1,"b":1,"c":1})", R"({"a":2,"b":1,"c":1})", R"({"a":1,"b":2,"c":1})"), second});
  EXPECT_EQ(response.results(1).merged().data(), R"({"a":2,"b":2,"c":2})");
}

TEST(Resolve, AnItemBehindARefusedOneIsRefused) {
  v1::ResolveItem second = Item("1", "1", "2");
  second.set_theirs_item(1);
  v1::ResolveItem itself = Item("1", "1", "2");
  itself.set_theirs_item(3);
  const auto response = ResolveAll({Item("{", "1", "1"), second, itself});
  EXPECT_EQ(response.results(1).error().code(), "depends_on_rejected");
  EXPECT_EQ(response.results(2).error().code(), "invalid_argument");
}

TEST(Resolve, TooManyDecisionsBecomeOneThatHoldsEverything) {
  std::string base = "{", theirs = "{", ours = "{";
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&base, i == 0 ? "" : ",", "\"", i, "\":0");
    absl::StrAppend(&theirs, i == 0 ? "" : ",", "\"", i, "\":1");
    absl::StrAppend(&ours, i == 0 ? "" : ",", "\"", i, "\":2");
  }
  base += "}", theirs += "}", ours += "}";
  EXPECT_EQ(ResolveOne(base, theirs, ours, {.decisions_max = 4}).decisions_size(), 4);
  const auto result = ResolveOne(base, theirs, ours, {.decisions_max = 3});
  ASSERT_EQ(result.decisions_size(), 1);
  EXPECT_EQ(result.decisions(0).path(), "");
  EXPECT_EQ(result.decisions(0).rule(), "lww");
  EXPECT_EQ(result.decisions(0).theirs(), theirs);
  EXPECT_EQ(result.decisions(0).ours(), ours);
  EXPECT_EQ(result.decisions(0).chosen(), "merged");
}

TEST(Resolve, DecisionsWithLongPathsBecomeOneThatHoldsEverything) {
  const auto document = [](size_t name_bytes, int value) {
    const std::string below = absl::StrCat("{\"a\":", value, ",\"b\":", value, "}");
    return absl::StrCat("{\"", std::string(name_bytes, 'n'), "\":", below, "}");
  };
  const auto resolve = [&document](size_t name_bytes) {
    return ResolveOne(document(name_bytes, 0), document(name_bytes, 1), document(name_bytes, 2),
                      {.decisions_max = 2});
  };
  constexpr size_t kAround = 3;  // The slashes and "a".
  EXPECT_EQ(resolve(kToldPathBytes - kAround).decisions_size(), 2);
  const auto result = resolve(kToldPathBytes - kAround + 1);
  ASSERT_EQ(result.decisions_size(), 1);
  EXPECT_EQ(result.decisions(0).path(), "");
  EXPECT_EQ(result.decisions(0).theirs(), document(kToldPathBytes - kAround + 1, 1));
}

TEST(Resolve, WhatMakesTooManyPathsIsRefusedAndOthersAreNot) {
  constexpr size_t kNameBytes = size_t{1} << 18;
  const auto document = [](int value) {
    std::string text = absl::StrCat("{\"", std::string(kNameBytes, 'n'), "\":{");
    for (size_t i = 0; i * kNameBytes <= merge::kPathBytesMax; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"", i, "\":", value);
    }
    return text + "}}";
  };
  v1::ResolveItem follows = Item("1", "1", "2");
  follows.set_theirs_item(1);
  const auto response =
      ResolveAll({Item(document(0), document(1), document(2)), follows, Item("1", "1", "2")});
  EXPECT_EQ(response.results(0).error().code(), "too_large");
  EXPECT_EQ(response.results(1).error().code(), "depends_on_rejected");
  EXPECT_EQ(response.results(2).merged().data(), "2");
  EXPECT_EQ(KindOf(response.results(0)), MeetingKind::kRefused);
}

TEST(Resolve, NumbersKeepTheirDigits) {
  EXPECT_EQ(
      ResolveOne(R"({"a":1})", R"({"a":9007199254740993})", R"({"a":1,"b":1.10})").merged().data(),
      R"({"a":9007199254740993,"b":1.10})");
}

}  // namespace
}  // namespace bdcsync::conflict
