// Small numbers for the elements of three versions of a list: what corresponds has one number.
// Internal to the merge. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/json/value.h"

namespace bdcsync::merge {

struct ListIds {
  std::vector<uint32_t> base;
  std::vector<uint32_t> theirs;
  std::vector<uint32_t> ours;
  uint32_t count = 0;   // Ids are less than this.
  std::string problem;  // Why there are none; empty: all is well.
};

// By the values of the members `keys`, which every element must have and no two of one list may
// share; otherwise `problem` says what is wrong.
ListIds IdsByKeys(const json::Array& base, const json::Array& theirs, const json::Array& ours,
                  const std::vector<std::string>& keys);
// By the whole element. An element that a list holds twice has its number there twice.
ListIds IdsByValue(const json::Array& base, const json::Array& theirs, const json::Array& ours);

}  // namespace bdcsync::merge
