#include "services/event-store/generations.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::event_store {
namespace {

TEST(GenerationsTest, HalfOfWhatItMayHoldIsAlwaysThere) {
  Generations<int, int> cache(100);
  for (int key = 0; key < 1000; ++key) {
    cache.Put(key, -key, 1);
    for (int back = 0; back < 50 && back <= key; ++back) {
      const int* value = cache.Find(key - back);
      ASSERT_NE(value, nullptr) << key << " " << back;
      EXPECT_EQ(*value, back - key);
    }
    int held = 0;
    for (int other = 0; other <= key; ++other) held += cache.Find(other) == nullptr ? 0 : 1;
    EXPECT_LE(held, 100);
  }
}

TEST(GenerationsTest, WhatIsPutAgainIsNewAndStays) {
  Generations<int, int> cache(100);
  cache.Put(7, 1, 1);
  for (int key = 100; key < 1000; ++key) {
    cache.Put(key, 0, 1);
    if (key % 20 == 0) cache.Put(7, key, 1);
    ASSERT_NE(cache.Find(7), nullptr) << key;
    EXPECT_EQ(*cache.Find(7), key / 20 * 20);
  }
}

TEST(GenerationsTest, WeightCounts) {
  Generations<std::string, int> cache(100);
  cache.Put("a", 1, 30);
  cache.Put("b", 2, 30);  // The younger generation is full.
  EXPECT_NE(cache.Find(absl::string_view("a")), nullptr);
  cache.Put("c", 3, 60);
  EXPECT_EQ(cache.Find(absl::string_view("a")), nullptr);
  EXPECT_EQ(cache.Find(absl::string_view("b")), nullptr);
  EXPECT_NE(cache.Find(absl::string_view("c")), nullptr);
}

TEST(GenerationsTest, ErasingForgetsAlsoTheOlderValues) {
  Generations<int, int> cache(4);
  cache.Put(1, 10, 1);
  cache.Put(2, 20, 1);  // Both are in the older generation now.
  cache.Put(1, 11, 1);
  cache.EraseIf([](int value) { return value < 20; });
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_NE(cache.Find(2), nullptr);
}

}  // namespace
}  // namespace bdcsync::event_store
