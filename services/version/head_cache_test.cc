#include "services/version/head_cache.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bdcsync::version {
namespace {

StatePtr State(int64_t revision, size_t data_bytes = 1000) {
  auto state = std::make_shared<EntityState>();
  state->revision = revision;
  state->data = std::string(data_bytes, 'x');
  return state;
}

int64_t RevisionOf(HeadCache& cache, absl::string_view key) {
  const StatePtr state = cache.Find({key}).front().state;
  return state == nullptr ? 0 : state->revision;
}

size_t BytesOf(absl::string_view key, const StatePtr& state) {
  return HeadCache::kEntryBytes + key.size() + state->bytes();
}

TEST(HeadCache, ReturnsWhatWasSetLast) {
  HeadCache cache(1 << 20);
  cache.Apply({{"a", State(1)}, {"b", State(2)}});
  cache.Apply({{"a", State(3)}});
  EXPECT_EQ(RevisionOf(cache, "a"), 3);
  EXPECT_EQ(RevisionOf(cache, "b"), 2);
  EXPECT_EQ(RevisionOf(cache, "c"), 0);
  EXPECT_EQ(cache.stats().hits, 2u);
  EXPECT_EQ(cache.stats().misses, 1u);
}

TEST(HeadCache, ForgetsOnRequest) {
  HeadCache cache(1 << 20);
  cache.Apply({{"a", State(1)}});
  cache.Apply({{"a", nullptr}, {"b", nullptr}});
  EXPECT_EQ(RevisionOf(cache, "a"), 0);
  EXPECT_EQ(cache.stats().bytes, 0u);
}

TEST(HeadCache, DropsTheLeastRecentlyUsedBeyondItsBytes) {
  const StatePtr state = State(1);
  HeadCache cache(2 * BytesOf("a", state));
  cache.Apply({{"a", state}, {"b", state}});
  EXPECT_EQ(RevisionOf(cache, "a"), 1);  // Now b is the older one.
  cache.Apply({{"c", state}});
  EXPECT_EQ(RevisionOf(cache, "b"), 0);
  EXPECT_EQ(RevisionOf(cache, "a"), 1);
  EXPECT_EQ(RevisionOf(cache, "c"), 1);
  EXPECT_EQ(cache.stats().evictions, 1u);
  EXPECT_LE(cache.stats().bytes, 2 * BytesOf("a", state));
}

TEST(HeadCache, WhatIsSetAgainIsUsed) {
  const StatePtr state = State(1);
  HeadCache cache(2 * BytesOf("a", state));
  cache.Apply({{"a", state}, {"b", state}});
  cache.Apply({{"a", state}});
  cache.Apply({{"c", state}});
  EXPECT_EQ(RevisionOf(cache, "a"), 1);
  EXPECT_EQ(RevisionOf(cache, "b"), 0);
}

TEST(HeadCache, CountsBytesExactlyThroughReplacement) {
  HeadCache cache(1 << 20);
  cache.Apply({{"a", State(1, 5000)}});
  const StatePtr small = State(2, 100);
  cache.Apply({{"a", small}});
  EXPECT_EQ(cache.stats().bytes, BytesOf("a", small));
  EXPECT_EQ(cache.stats().entries, 1u);
}

TEST(HeadCache, DoesNotKeepWhatAloneIsTooLarge) {
  const StatePtr state = State(2);
  HeadCache cache(BytesOf("a", state));
  cache.Apply({{"a", state}});
  EXPECT_EQ(RevisionOf(cache, "a"), 2);
  cache.Apply({{"a", State(3, state->data.size() + 1)}});
  EXPECT_EQ(RevisionOf(cache, "a"), 0) << "an old head must not stay when the new one does not fit";
  EXPECT_EQ(cache.stats().bytes, 0u);
}

std::shared_ptr<TextTrail> Trail(int steps) {
  auto trail = std::make_shared<TextTrail>(entity::VersionId{1, 1});
  for (int i = 0; i < steps; ++i) {
    trail->Add({.version = {2 + i, 1}, .changed_paths = {std::string(100, 'p')}});
  }
  return trail;
}

TEST(HeadCache, LendsTheTrailOfAHeadToOneAtATime) {
  HeadCache cache(1 << 20);
  const std::shared_ptr<TextTrail> trail = Trail(3);
  cache.Apply({{"a", State(4), trail}});
  EXPECT_EQ(cache.Find({"a"}).front().trail, trail);
  EXPECT_EQ(cache.Find({"a"}).front().trail, nullptr);
  EXPECT_EQ(RevisionOf(cache, "a"), 4);
}

TEST(HeadCache, CountsTrailsAndDropsOneRatherThanItsHead) {
  const StatePtr state = State(4);
  const std::shared_ptr<TextTrail> trail = Trail(3);
  const size_t bytes = BytesOf("a", state) + sizeof(TextTrail) + trail->bytes();
  for (const size_t bytes_max : {bytes, bytes - 1}) {
    HeadCache cache(bytes_max);
    cache.Apply({{"a", state, trail}});
    EXPECT_EQ(cache.stats().bytes, bytes_max == bytes ? bytes : BytesOf("a", state));
    EXPECT_EQ(cache.Find({"a"}).front().trail != nullptr, bytes_max == bytes);
    EXPECT_EQ(RevisionOf(cache, "a"), 4);
  }
}

}  // namespace
}  // namespace bdcsync::version
