#include "services/conflict/due_turns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace bdcsync::conflict {
namespace {

// One conflict a letter.
std::vector<DuePlace> Places(const std::string& letters) {
  std::vector<DuePlace> places;
  for (const char letter : letters) places.push_back({.conflict_id = std::string(1, letter)});
  return places;
}

class DueTurnsTest : public ::testing::Test {
 protected:
  // What is told when all of `due` are due.
  std::string Tell(const std::string& due, int limit = 2) {
    std::vector<DuePlace> places =
        Places(due.substr(0, static_cast<size_t>(turns_.PlacesToRead(limit))));
    turns_.Cut(limit, places);
    turns_.Told(places);
    std::string told;
    for (const DuePlace& place : places) absl::StrAppend(&told, place.conflict_id);
    return told;
  }

  DueTurns turns_;
};

TEST_F(DueTurnsTest, TheMostOverdueComeFirst) {
  EXPECT_EQ(Tell("abc"), "ab");
  EXPECT_EQ(Tell(""), "");
  EXPECT_EQ(Tell("cde"), "cd");
}

TEST_F(DueTurnsTest, WhatFitsIsToldAgainInItsOrder) {
  EXPECT_EQ(Tell("ab"), "ab");
  EXPECT_EQ(Tell("ba"), "ba");
  EXPECT_EQ(Tell("cb"), "cb");
}

TEST_F(DueTurnsTest, WhatCannotBeClosedDoesNotHoldUpOthers) {
  EXPECT_EQ(Tell("abcdef"), "ab");
  EXPECT_EQ(Tell("abcdef"), "cd");
  EXPECT_EQ(Tell("abef"), "ef") << "c and d were closed";
  EXPECT_EQ(Tell("ab"), "ab") << "they have their turn again";
  EXPECT_EQ(Tell("abg"), "ag");
}

TEST_F(DueTurnsTest, WhatIsDueNoMoreIsForgotten) {
  Tell("abcd");
  Tell("");
  EXPECT_EQ(turns_.PlacesToRead(2), 2);
  EXPECT_EQ(Tell("abcd"), "ab");
}

TEST_F(DueTurnsTest, StepsOverSoManyAtMostAndTellsWhenThereAreMore) {
  int too_many = 0;
  DueTurns turns(1000, [&too_many] { ++too_many; });
  const auto tell = [&turns](int from, int to) {
    std::vector<DuePlace> places;
    for (int i = from; i < to; ++i) places.push_back({.conflict_id = absl::StrCat(i)});
    turns.Told(places);
  };
  tell(0, 1000);
  EXPECT_EQ(turns.PlacesToRead(200), 1200);
  EXPECT_EQ(too_many, 0);
  tell(1000, 1001);
  EXPECT_EQ(turns.PlacesToRead(200), 1200);
  EXPECT_EQ(too_many, 1);
}

}  // namespace
}  // namespace bdcsync::conflict
