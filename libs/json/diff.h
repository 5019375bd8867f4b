// What changed between two values: as a JSON Patch, and as a list of places. Digits count as
// change here (1 and 1.0 are equal but not identical), the order of members does not. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/json/value.h"

namespace bdcsync::json {

struct DiffLimits {
  // Steps for matching the elements of one pair of arrays, beyond what they share at both ends;
  // arrays further apart are replaced. All pairs together may take what MatchingWork says.
  size_t matching_work_max = 1'000'000;
};

// An RFC 6902 patch, [] when nothing changed, that turns `from` into `to` (Identical but for the
// order of members). Only add, remove and replace; objects by member, arrays by common ends and
// longest common subsequence; an array, or a large object, whose patch would be longer than itself
// is replaced.
Value Diff(const Value& from, const Value& to, const DiffLimits& limits = {});

// Pointers of what changed: members added, removed or changed, down to the leaves of objects; an
// array of changed length as a whole, otherwise its changed elements; "" for the whole value. When
// there are more than `paths_max` they are cut to their ancestors, so that the list stays complete.
std::vector<std::string> ChangedPaths(const Value& from, const Value& to, size_t paths_max);

}  // namespace bdcsync::json
