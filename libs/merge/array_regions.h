// Cuts three versions of an array into regions that correspond (diff3). Internal to the merge.
// Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "libs/json/sequence_match.h"
#include "libs/json/value.h"

namespace bdcsync::merge {

// Elements [begin, end).
struct Part {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
};

// One stretch of `base` and what it became on each side. A side that did not change it holds equal
// elements.
struct ArrayRegion {
  Part base;
  Part theirs;
  Part ours;
  bool theirs_changed = false;
  bool ours_changed = false;
};

// The regions in order; together they are all of the three arrays. Changes of both sides are in one
// region when they share an element of `base`, when one inserts inside what the other replaced,
// or when both insert at one place; changes that only touch are apart. Swapping the sides swaps
// the parts and nothing else. Takes the steps for matching off `work`.
std::vector<ArrayRegion> RegionsOf(const json::Array& base, const json::Array& theirs,
                                   const json::Array& ours, json::MatchingWork& work);

}  // namespace bdcsync::merge
