// The laws of the merge for random rule sets, on documents that meet every rule.
#include <map>
#include <string>

#include "libs/json/serialize.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Serialize;
using json::Value;

MergeResult MergeBy(const Value& rules, const Value& base, const Value& theirs, const Value& ours,
                    Side later = Side::kOurs) {
  const RuleSet set = *ParseRuleSet(rules);
  return Merge(base, theirs, ours, {.rules = &set, .later = later}).value();
}

bool Is(const MergeResult& result, const Value& expected) {
  return result.value.has_value() && *result.value == expected;
}

// The rule set with ours for theirs.
Value Mirrored(const Value& rules) {
  if (rules == Value("ours")) return "theirs";
  if (rules == Value("theirs")) return "ours";
  Value mirrored = rules;
  if (rules.is_array()) {
    for (Value& rule : mirrored.array()) rule = Mirrored(rule);
  } else if (rules.is_object()) {
    for (size_t i = 0; i < rules.object().size(); ++i) {
      mirrored.object().value_at(i) = Mirrored(rules.object().at(i).value);
    }
  }
  return mirrored;
}

using Counts = std::map<std::string, int>;

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

bool Accounted(const Value& side, std::optional<Value> Decision::*held, const MergeResult& result) {
  Counts counts;
  Count(side, 1, counts);
  if (result.value) Count(*result.value, -1, counts);
  for (const auto* decisions : {&result.decisions, &result.conflicts}) {
    for (const Decision& decision : *decisions) {
      if (decision.*held) Count(*(decision.*held), -1, counts);
    }
  }
  for (const auto& [leaf, count] : counts) {
    if (count > 0) return false;
  }
  return true;
}

std::string Text(const std::optional<Value>& value) {
  return value ? std::to_string(HashOf(*value)) : "-";
}

TEST(RuleLaws, ASideThatDidNotChangeLeavesTheOther) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const MergeResult theirs = MergeBy(c.rules, c.base, c.theirs, c.base);
    const MergeResult ours = MergeBy(c.rules, c.base, c.base, c.ours);
    return Is(theirs, c.theirs) && Is(ours, c.ours) && !theirs.overlapped && !ours.overlapped &&
           theirs.conflicts.empty() && ours.conflicts.empty();
  });
}

TEST(RuleLaws, EqualSidesGiveThemselvesWithoutACounter) {
  ExpectRuledLaw({.counters = false}, [](const RuledCase& c) {
    const MergeResult result = MergeBy(c.rules, c.base, c.theirs, c.theirs);
    return Is(result, c.theirs) && result.decisions.empty() && result.conflicts.empty();
  });
}

TEST(RuleLaws, SidesAndRulesMirroredGiveTheSameResultAndMirroredDecisions) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const MergeResult one = MergeBy(c.rules, c.base, c.theirs, c.ours, Side::kOurs);
    const MergeResult two = MergeBy(Mirrored(c.rules), c.base, c.ours, c.theirs, Side::kTheirs);
    // What is open holds theirs, whoever that is.
    if (one.conflicts.empty() && one.value != two.value) return false;
    Counts decisions;
    for (const auto* list : {&one.decisions, &one.conflicts}) {
      for (const Decision& d : *list) {
        ++decisions[d.path + Text(d.base) + Text(d.theirs) + Text(d.ours)];
      }
    }
    for (const auto* list : {&two.decisions, &two.conflicts}) {
      for (const Decision& d : *list) {
        --decisions[d.path + Text(d.base) + Text(d.ours) + Text(d.theirs)];
      }
    }
    for (const auto& [decision, count] : decisions) {
      if (count != 0) return false;
    }
    return one.conflicts.size() == two.conflicts.size();
  });
}

TEST(RuleLaws, EveryLeafOfEitherSideIsInTheResultOrInAList) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const MergeResult result = MergeBy(c.rules, c.base, c.theirs, c.ours);
    return Accounted(c.theirs, &Decision::theirs, result) &&
           Accounted(c.ours, &Decision::ours, result);
  });
}

TEST(RuleLaws, MergingTheResultAgainChangesNothing) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const MergeResult merged = MergeBy(c.rules, c.base, c.theirs, c.ours);
    return merged.value && Is(MergeBy(c.rules, c.theirs, *merged.value, c.theirs), *merged.value);
  });
}

TEST(RuleLaws, AnElementOfAKeyedListIsThereOnce) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const MergeResult result = MergeBy(c.rules, c.base, c.theirs, c.ours);
    const Value* items = result.value ? result.value->Find("items") : nullptr;
    if (items == nullptr || !items->is_array() || !result.notes.empty()) return true;
    const RuleSet set = *ParseRuleSet(c.rules);
    const Rule* rule = set.RuleAt(set.Member(set.root(), "items"));
    if (rule == nullptr || rule->kind != RuleKind::kKeyedList) return true;
    Counts ids;
    for (const Value& item : items->array()) {
      if (item.Find("id") == nullptr || ++ids[Serialize(*item.Find("id"))] > 1) return false;
    }
    return true;
  });
}

}  // namespace
}  // namespace bdcsync::merge
