// Random documents, edits and rule sets that meet every rule of the merge, and laws over them that
// print the smallest case that breaks them. For tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "libs/json/random_value.h"
#include "libs/json/value.h"

namespace bdcsync::merge {

struct RuledCase {
  json::Value base, theirs, ours;
  json::Value rules;
};

// What rule sets may hold.
struct CaseOptions {
  bool counters = true;
  bool texts = true;
  bool sequences = true;  // Changes inside lists that have no keys.
};

RuledCase RandomRuledCase(uint64_t seed, const CaseOptions& options);

// Fails the test with the smallest case found for which `law` does not hold. Laws are only asked
// about rule sets that are valid.
void ExpectRuledLaw(const CaseOptions& options, const std::function<bool(const RuledCase&)>& law);

}  // namespace bdcsync::merge
