// Lists of changes below long keys: memory is bounded by what is listed.
#include "libs/json/path_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/json/diff.h"
#include "libs/json/merge_patch.h"
#include "libs/json/random_value.h"

namespace bdcsync::json {
namespace {

using ::testing::ElementsAre;
using Paths = std::vector<std::string>;

constexpr size_t kKeyBytes = 1'000'000;
constexpr size_t kMembers = 2000;
constexpr int64_t kPeakBytesMax = 1'000'000'000;  // Half of what a path for each member takes.

// {"kkk…": {"0": value, "1": value, …}}
Value UnderLongKey(int value) {
  Object members;
  for (size_t i = 0; i < kMembers; ++i) members.Set(std::to_string(i), value);
  return Object{{std::string(kKeyBytes, 'k'), Value(std::move(members))}};
}

// The most memory that the process has had until now.
int64_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

// What the list is to hold: all paths, then cut a token at a time.
void Cut(size_t paths_max, Paths& paths) {
  const auto tokens_in = [](const std::string& path) {
    return static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
  };
  size_t tokens_max = 0;
  for (const std::string& path : paths) tokens_max = std::max(tokens_max, tokens_in(path));
  while (paths.size() > paths_max && tokens_max-- > 0) {
    for (std::string& path : paths) {
      while (tokens_in(path) > tokens_max) path.resize(path.rfind('/'));
    }
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  }
}

TEST(PathList, HoldsWhatCuttingAllPathsLeavesForRandomPairs) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    RandomValue random(seed);
    const Value from = random.Make(5);
    const Value to = random.Edit(from, 1 + random.Below(20), 5);
    Paths all = ChangedPaths(from, to, 100'000);
    for (size_t paths_max = all.size() + 1; paths_max > 0; --paths_max) {
      Cut(paths_max, all);
      ASSERT_EQ(ChangedPaths(from, to, paths_max), all) << "seed " << seed << ", " << paths_max;
    }
  }
}

TEST(PathList, CopiesALongPathNoMoreOftenThanItListsPaths) {
  PathList list(64);
  const std::string key(kKeyBytes, 'k');
  list.Enter(absl::string_view(key));
  for (size_t i = 0; i < kMembers; ++i) {
    const Inside inside(list, i);
    list.Note();
  }
  list.Leave();
  EXPECT_LT(list.copied_bytes(), 66 * (kKeyBytes + 10));
  EXPECT_THAT(list.Take(), ElementsAre("/" + key));
}

TEST(PathList, ChangesBelowALongKeyTakeNoMemoryForEachOfThem) {
  Value from = UnderLongKey(0);
  const Value to = UnderLongKey(1);
  const int64_t before = PeakBytes();
  EXPECT_EQ(ChangedPaths(from, to, 64).size(), 1u);
  EXPECT_EQ(ApplyMergePatchAndList(from, to, 64).size(), 1u);
  EXPECT_LT(PeakBytes() - before, kPeakBytesMax);
}

TEST(Diff, ChangesBelowALongKeyAreOneReplacementWithoutAnOperationForEach) {
  const Value from = UnderLongKey(0);
  const Value to = UnderLongKey(1);
  const int64_t before = PeakBytes();
  const Value patch = Diff(from, to);
  EXPECT_LT(PeakBytes() - before, kPeakBytesMax);
  ASSERT_EQ(patch.array().size(), 1u);
  EXPECT_EQ(*patch.array()[0].Find("op"), Value("replace"));
}

}  // namespace
}  // namespace bdcsync::json
