// Random JSON values for property tests: small alphabets of keys and leaves, so that two values
// share parts, and the leaves that go wrong elsewhere (long numbers, escapes, empty containers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "libs/json/value.h"

namespace bdcsync::json {

class RandomValue {
 public:
  explicit RandomValue(uint64_t seed) : random_(seed) {}

  // Containers nest at most `depth_max` deep and hold at most `width_max` values.
  Value Make(size_t depth_max, size_t width_max = 5);
  // A value that differs from `value` in about `edits` random places.
  Value Edit(const Value& value, size_t edits, size_t depth_max = 3);
  void EditInPlace(Value& value, size_t edits, size_t depth_max = 3);
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

 private:
  Value Leaf();
  std::string Key();
  void EditOnce(Value& value, size_t depth_max);
  void EditObject(Object& object, size_t depth_max);
  void EditArray(Array& array, size_t depth_max);

  std::mt19937_64 random_;
};

// Values one step smaller than `value`: without one member or element, or with a smaller part.
std::vector<Value> SmallerThan(const Value& value);

}  // namespace bdcsync::json
