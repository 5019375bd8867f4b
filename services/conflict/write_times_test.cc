// Which write of theirs counts at a place, from single pointers to whole calls.
#include "services/conflict/write_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/random_value.h"
#include "services/conflict/resolve.h"
#include "services/conflict/rules_testing.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kNowMs = 1'700'000'000'000;

int64_t Ago(int64_t minutes) { return kNowMs - minutes * kMinuteMs; }

bool Touches(absl::string_view changed, absl::string_view path) {
  LastWrites writes;
  writes.Add(0, changed);
  return writes.At(path).has_value();
}

TEST(LastWrites, OneHoldsTheOther) {
  EXPECT_TRUE(Touches("", "/a/b"));
  EXPECT_TRUE(Touches("/a", "/a/b"));
  EXPECT_TRUE(Touches("/a/b/c", "/a/b"));
  EXPECT_TRUE(Touches("/a/b", ""));
  EXPECT_TRUE(Touches("/a~1b/~0", "/a~1b/~0"));
  EXPECT_FALSE(Touches("/a/c", "/a/b"));
  EXPECT_FALSE(Touches("/ab", "/a"));
  EXPECT_FALSE(Touches("/a", "/ab"));
}

TEST(LastWrites, APositionMayBeAnyElementOfAKeyedList) {
  EXPECT_TRUE(Touches("/lines/3/quantity", "/lines/id=7/quantity"));
  EXPECT_TRUE(Touches("/lines/3/price", "/lines/id=7/quantity"));
  EXPECT_FALSE(Touches("/lines/x", "/lines/id=7"));
  EXPECT_FALSE(Touches("/notes/3", "/lines/id=7"));
}

using Tokens = std::vector<std::string>;

std::string PathOf(const Tokens& tokens) {
  std::string path;
  for (const std::string& token : tokens) absl::StrAppend(&path, "/", token);
  return path;
}

// What LastWrites says of one write, by looking at each token.
bool MayTouch(const Tokens& changed, const Tokens& place) {
  for (size_t i = 0; i < changed.size() && i < place.size(); ++i) {
    if (changed[i] == place[i]) continue;
    return (changed[i] == "1" || changed[i] == "2") && place[i] == "id=1";
  }
  return true;
}

TEST(LastWrites, AreTheLastOfThoseThatEachMayHaveTouchedThePlace) {
  json::RandomValue random(3);
  const auto tokens = [&random](bool of_decision) {
    const Tokens known = {"a", "b", "", "1", of_decision ? "id=1" : "2"};
    Tokens some;
    for (size_t i = random.Below(5); i > 0; --i) some.push_back(known[random.Below(known.size())]);
    return some;
  };
  for (int round = 0; round < 2000; ++round) {
    const Tokens place = tokens(true);
    std::list<std::string> paths;
    LastWrites writes;
    std::optional<int> expected;
    for (int write = 0; write < 4; ++write) {
      for (size_t i = random.Below(4); i > 0; --i) {
        const Tokens changed = tokens(false);
        writes.Add(write, paths.emplace_back(PathOf(changed)));
        if (MayTouch(changed, place)) expected = write;
      }
    }
    ASSERT_EQ(writes.At(PathOf(place)), expected) << PathOf(place);
  }
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

// 50,000 places and 16,000 paths of writes: looking through all of these for each of those takes
// half a minute.
TEST_F(WriteTimesTest, ManyPlacesAreLookedForAmongManyWrites) {
  constexpr int kPlaces = 50'000;
  const auto document = [](int value) {
    std::string text = "{";
    for (int i = 0; i < kPlaces; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"", i, "\":", value);
    }
    return text + "}";
  };
  v1::ResolveItem& item = Add(document(1), document(2), 30);
  Set(document(0), Ago(180), 0, *item.mutable_base());
  Wrote("", 60, item);
  for (int i = 1; i < kWritesMax; ++i) {
    Wrote("/0", 10, item);
    for (int path = 1; path < 64; ++path) {
      item.mutable_theirs_writes(i)->add_changed_paths(absl::StrCat("/elsewhere/", i, "/", path));
    }
  }
  std::string expected = document(2);
  expected.replace(expected.find('2'), 1, "1");  // "0" was written later.
  EXPECT_EQ(Merged().front(), expected);
}

// The second item is older than the first, and younger than what the head wrote before that, which
// is all that counts once too much was looked at.
TEST_F(WriteTimesTest, SoMuchIsLookedAtAndNoMoreToFindWhichItemWroteLast) {
  rules_ = RulesOf({{"note", R"json([{"path":"$","rule":"keyed_list(id)"}])json"}});
  const auto document = [](int elements, int value) {
    std::string text = "[";
    for (int i = 0; i < elements; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "{\"id\":", i, ",\"v\":", value, "}");
    }
    return text + "]";
  };
  const auto last_of = [&](int elements) {
    request_.clear_items();
    v1::ResolveItem& first = Add(document(elements, 1), document(elements, 2), 10);
    Set(document(elements, 0), Ago(180), 0, *first.mutable_base());
    Wrote("", 60, first);
    v1::ResolveItem& second = AddAfter(document(elements, 3), 30);
    Set(document(elements, 0), Ago(180), 0, *second.mutable_base());
    second.mutable_theirs()->set_client_time_ms(Ago(60));
    return Merged().back();
  };
  EXPECT_EQ(last_of(1000), document(1000, 2));
  const std::string many = last_of(10'000);
  EXPECT_THAT(many, ::testing::StartsWith(R"([{"id":0,"v":2})")) << "the first were looked for";
  EXPECT_THAT(many, ::testing::EndsWith(R"("v":3}])"));
}

}  // namespace
}  // namespace bdcsync::conflict
