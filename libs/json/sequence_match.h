// Which elements of two arrays correspond: the longest common subsequence (Myers), with a bound on
// work. Shared by the diff and by the three-way merge. Thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/json/value.h"

namespace bdcsync::json {

// `length` equal elements, from a[a_begin] and b[b_begin] on.
struct MatchedRun {
  size_t a_begin;
  size_t b_begin;
  size_t length;
};

// A part of `a` that stands against a part of `b`; one of them may be empty, not both.
struct ChangedRun {
  size_t a_begin, a_end;
  size_t b_begin, b_end;
};

enum class ElementEquality { kEqual, kIdentical };

// From this many elements on, both arrays counted, matches need not be as long as can be: so many
// equal elements in a row are taken to belong together, so that changes far from each other are
// found one by one, in linear time.
inline constexpr size_t kLongArrayElements = 2048;
inline constexpr size_t kEqualElementsEnough = 32;

// The steps for all arrays of a document: it may hold any number of those that take just as many as
// one may. Not thread-safe.
class MatchingWork {
 public:
  // So many arrays may take `each_max` steps; those after them are matched at their ends only.
  static constexpr size_t kArraysMax = 32;

  explicit MatchingWork(size_t each_max) : each_max_(each_max), left_(kArraysMax * each_max) {}

  // What one of the next `pairs` may take, all of them the same.
  size_t share(size_t pairs = 1) const { return std::min(each_max_, left_ / pairs); }
  void Use(size_t steps) { left_ -= std::min(left_, steps); }

 private:
  const size_t each_max_;
  size_t left_;
};

// Ascending in both arrays and as long as can be (but see above). Matching the part between the
// common prefix and suffix takes at most `work_max` steps: when they do not suffice, what was not
// matched stays so. Adds to `used`, when there, the steps that it took.
std::vector<MatchedRun> MatchSequences(const Array& a, const Array& b, ElementEquality equality,
                                       size_t work_max, size_t* used = nullptr);
// The same for numbers, of which equal ones stand for equal elements.
std::vector<MatchedRun> MatchNumbers(std::vector<uint32_t> a, std::vector<uint32_t> b,
                                     size_t work_max);
// The gaps between the matched runs, in order.
std::vector<ChangedRun> ChangesBetween(const Array& a, const Array& b,
                                       const std::vector<MatchedRun>& matches);

}  // namespace bdcsync::json
