// The laws of the merge, on random documents. A failure prints the smallest case that still fails.
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/merge/three_way.h"
#include "libs/testing/property_cases.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::RandomValue;
using json::Serialize;
using json::Value;

struct Case {
  std::optional<Value> base, theirs, ours;
};
// Whether a law holds; laws may use any of the three documents.
using Law = std::function<bool(const Case&)>;

std::string Text(const std::optional<Value>& value) { return value ? Serialize(*value) : "-"; }

Case RandomCase(uint64_t seed) {
  RandomValue random(seed);
  Case result;
  result.base = random.Make(3);
  result.theirs = random.Edit(*result.base, 1 + random.Below(4));
  result.ours = random.Edit(*result.base, 1 + random.Below(4));
  if (random.Below(20) == 0) result.base = std::nullopt;
  if (random.Below(20) == 0) result.theirs = std::nullopt;
  if (random.Below(20) == 0) result.ours = std::nullopt;
  return result;
}

// One step towards a smaller case that breaks the law too; false when there is none.
bool Shrink(const Law& law, Case& failing) {
  for (std::optional<Value> Case::*part : {&Case::base, &Case::theirs, &Case::ours}) {
    if (!(failing.*part).has_value()) continue;
    for (const Value& smaller : json::SmallerThan(*(failing.*part))) {
      Case alone = failing;
      alone.*part = smaller;
      Case together = failing;  // With the documents that are equal to this one.
      for (std::optional<Value> Case::*other : {&Case::base, &Case::theirs, &Case::ours}) {
        if (together.*other == failing.*part) together.*other = smaller;
      }
      for (Case* candidate : {&alone, &together}) {
        if (law(*candidate)) continue;
        failing = std::move(*candidate);
        return true;
      }
    }
  }
  return false;
}

void ExpectLaw(const Law& law) {
  for (uint64_t seed = 0; seed < testing::PropertyCases(); ++seed) {
    Case random = RandomCase(seed);
    if (law(random)) continue;
    while (Shrink(law, random)) {
    }
    FAIL() << "seed " << seed << ", shrunk to\nbase   " << Text(random.base) << "\ntheirs "
           << Text(random.theirs) << "\nours   " << Text(random.ours) << "\nmerged "
           << Text(Merge(random.base, random.theirs, random.ours).value().value);
  }
}

bool Same(const std::optional<Value>& a, const std::optional<Value>& b) {
  return a.has_value() == b.has_value() && (!a || *a == *b);
}

// The same document with objects for its arrays.
Value WithoutArrays(const Value& value) {
  if (!value.is_array() && !value.is_object()) return value;
  json::Object object;
  if (value.is_object()) {
    for (const json::Member& member : value.object()) {
      object.Set(member.key, WithoutArrays(member.value));
    }
  } else {
    for (size_t i = 0; i < value.array().size(); ++i) {
      object.Set(std::to_string(i), WithoutArrays(value.array()[i]));
    }
  }
  return object;
}

std::optional<Value> WithoutArrays(const std::optional<Value>& value) {
  return value ? std::optional<Value>(WithoutArrays(*value)) : std::nullopt;
}

using Counts = std::map<std::string, int>;

// How often each leaf occurs, equal numbers counted as one.
void Count(const Value& value, int sign, Counts& counts) {
  if (value.is_object()) {
    for (const json::Member& member : value.object()) Count(member.value, sign, counts);
  } else if (value.is_array()) {
    for (const Value& element : value.array()) Count(element, sign, counts);
  } else if (value.is_number()) {
    counts["number " + std::to_string(HashOf(value))] += sign;
  } else {
    counts[Serialize(value)] += sign;
  }
}

// Every leaf of `side` is in the result, or in a decision as that side's.
bool Accounted(const std::optional<Value>& side, std::optional<Value> Decision::*held,
               const MergeResult& result) {
  Counts counts;
  if (side) Count(*side, 1, counts);
  if (result.value) Count(*result.value, -1, counts);
  for (const Decision& decision : result.decisions) {
    if (decision.*held) Count(*(decision.*held), -1, counts);
  }
  for (const auto& [leaf, count] : counts) {
    if (count > 0) return false;
  }
  return true;
}

TEST(MergeLaws, ASideThatDidNotChangeLeavesTheOther) {
  ExpectLaw([](const Case& c) {
    const MergeResult theirs = Merge(c.base, c.theirs, c.base).value();
    const MergeResult ours = Merge(c.base, c.base, c.ours).value();
    return Same(theirs.value, c.theirs) && Same(ours.value, c.ours) && !theirs.overlapped &&
           !ours.overlapped;
  });
}

TEST(MergeLaws, EqualSidesGiveThemselvesWithoutADecision) {
  ExpectLaw([](const Case& c) {
    const MergeResult result = Merge(c.base, c.theirs, c.theirs).value();
    return Same(result.value, c.theirs) && result.decisions.empty();
  });
}

TEST(MergeLaws, SidesAndWinnerSwappedGiveTheSameResultAndMirroredDecisions) {
  ExpectLaw([](const Case& c) {
    const MergeResult one = Merge(c.base, c.theirs, c.ours, {.later = Side::kOurs}).value();
    const MergeResult two = Merge(c.base, c.ours, c.theirs, {.later = Side::kTheirs}).value();
    if (!Same(one.value, two.value) || one.overlapped != two.overlapped) return false;
    std::map<std::string, int> decisions;
    for (const Decision& d : one.decisions) {
      ++decisions[d.path + Text(d.base) + Text(d.theirs) + Text(d.ours)];
    }
    for (const Decision& d : two.decisions) {
      --decisions[d.path + Text(d.base) + Text(d.ours) + Text(d.theirs)];
    }
    for (const auto& [decision, count] : decisions) {
      if (count != 0) return false;
    }
    return true;
  });
}

TEST(MergeLaws, ChangesThatDoNotOverlapCommute) {
  ExpectLaw([](const Case& c) {
    const MergeResult one = Merge(c.base, c.theirs, c.ours).value();
    if (one.overlapped) return true;
    return Same(one.value, Merge(c.base, c.ours, c.theirs).value().value);
  });
}

TEST(MergeLaws, MergingAgainChangesNothing) {
  ExpectLaw([](const Case& c) {
    const std::optional<Value> merged = Merge(c.base, c.theirs, c.ours).value().value;
    return Same(Merge(c.theirs, merged, c.theirs).value().value, merged) &&
           Same(Merge(c.base, merged, merged).value().value, merged);
  });
}

TEST(MergeLaws, EveryLeafOfEitherSideIsInTheResultOrInADecision) {
  for (const Side later : {Side::kOurs, Side::kTheirs}) {
    ExpectLaw([later](const Case& c) {
      const MergeResult result = Merge(c.base, c.theirs, c.ours, {.later = later}).value();
      return Accounted(c.theirs, &Decision::theirs, result) &&
             Accounted(c.ours, &Decision::ours, result);
    });
  }
}

// With arrays this cannot hold: [x] with an equal x added here and the x removed there is [x]
// again, which no longer shows that anything was added.
TEST(MergeLaws, MergingTheResultWithASideAgainChangesNothingInDocumentsWithoutArrays) {
  ExpectLaw([](const Case& c) {
    const Case objects{WithoutArrays(c.base), WithoutArrays(c.theirs), WithoutArrays(c.ours)};
    for (const Side later : {Side::kOurs, Side::kTheirs}) {
      const MergeOptions options{.later = later};
      const std::optional<Value> merged =
          Merge(objects.base, objects.theirs, objects.ours, options).value().value;
      const bool again =
          later == Side::kOurs
              ? Same(Merge(objects.base, merged, objects.ours, options).value().value, merged)
              : Same(Merge(objects.base, objects.theirs, merged, options).value().value, merged);
      if (!again) return false;
    }
    return true;
  });
}

TEST(MergeLaws, ChangesOfDifferentMembersNeverOverlap) {
  size_t checked = 0;
  ExpectLaw([&checked](const Case& c) {
    if (!c.base || !c.base->is_object()) return true;
    Value theirs = *c.base;
    Value ours = *c.base;
    Value both = *c.base;
    for (const auto& [key, part, side] :
         {std::tuple("a", &c.theirs, &theirs), {"b", &c.ours, &ours}}) {
      const Value* changed = *part ? (*part)->Find(key) : nullptr;
      for (Value* target : {side, &both}) {
        if (changed != nullptr) {
          target->Set(key, *changed);
        } else {
          target->object().Erase(key);
        }
      }
    }
    ++checked;
    const MergeResult result = Merge(c.base, theirs, ours).value();
    return !result.overlapped && Same(result.value, both);
  });
  EXPECT_GT(checked, testing::PropertyCases() / 4);
}

TEST(MergeLaws, HoldWhenTheWorkForMatchingRunsOut) {
  ExpectLaw([](const Case& c) {
    const MergeOptions options{.matching_work_max = 6};
    const MergeResult result = Merge(c.base, c.theirs, c.ours, options).value();
    return Same(Merge(c.base, c.theirs, c.base, options).value().value, c.theirs) &&
           Accounted(c.theirs, &Decision::theirs, result) &&
           Accounted(c.ours, &Decision::ours, result);
  });
}

}  // namespace
}  // namespace bdcsync::merge
