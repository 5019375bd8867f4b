// The merge against models that are slow and obviously right: documents under random rules, where
// the model looks every path up anew and knows lists by key as sets; and sequences, where it
// compares every change with every other.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/merge/three_way.h"
#include "libs/testing/property_cases.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;
using Path = std::vector<std::string>;
using Maybe = std::optional<Value>;

bool Matches(const std::vector<PathStep>& steps, size_t step, const Path& path, size_t place) {
  if (step == steps.size()) return place == path.size();
  if (place == path.size()) return false;
  const bool here = steps[step].any || steps[step].name == path[place];
  if (here && Matches(steps, step + 1, path, place + 1)) return true;
  return steps[step].deep && Matches(steps, step, path, place + 1);
}

class Model {
 public:
  explicit Model(const Value& rules) : rules_(rules) {}

  Maybe Merge(const Path& path, const Maybe& base, const Maybe& theirs, const Maybe& ours,
              Value above) {
    Value rule = above;
    std::string kind = "three_way";
    for (const Value& candidate : rules_.Find("rules")->array()) {
      const auto steps = *ParsePathPattern(candidate.Find("path")->string());
      if (!Matches(steps, 0, path, 0)) continue;
      rule = candidate;
      kind = std::string(candidate.Find("rule")->string());
      break;
    }
    if (kind == "three_way" && theirs && ours && theirs->is_object() && ours->is_object()) {
      return MergeObjects(path, base, *theirs, *ours, rule);
    }
    const bool arrays = theirs && ours && theirs->is_array() && ours->is_array();
    if (kind == "keyed_list" && arrays) return MergeItems(path, base, *theirs, *ours, rule);
    if (theirs == ours && kind != "counter") return theirs;
    if (theirs == base && kind != "counter") return ours;
    if (ours == base && kind != "counter") return theirs;
    if (kind == "set_union" && arrays) return MergeSets(base, *theirs, *ours);
    return Decide(rule, base, theirs, ours);
  }

 private:
  static Maybe Member(const Maybe& object, const std::string& key) {
    const Value* member = object ? object->Find(key) : nullptr;
    return member == nullptr ? Maybe() : Maybe(*member);
  }
  static std::string DeleteOf(const Value& rule) {
    if (const Value* policy = rule.Find("delete")) return std::string(policy->string());
    const Value* kind = rule.Find("rule");
    static constexpr const char* kAlways[] = {"ours", "theirs", "lww", "first_write", "ask"};
    for (const char* always : kAlways) {
      if (kind != nullptr && *kind == Value(always)) return "else";
    }
    return "edit_wins";
  }

  Maybe MergeObjects(const Path& path, const Maybe& base, const Value& theirs, const Value& ours,
                     const Value& rule) {
    Value merged = Value(json::Object());
    for (const Value* side : {&theirs, &ours}) {
      for (const json::Member& member : side->object()) {
        if (merged.Find(member.key) != nullptr) continue;
        Path below = path;
        below.push_back(member.key);
        const Maybe value =
            Merge(below, base && base->is_object() ? Member(base, member.key) : Maybe(),
                  Member(theirs, member.key), Member(ours, member.key), rule);
        if (value) merged.Set(member.key, *value);
      }
    }
    return merged;
  }

  static Maybe Item(const Maybe& list, const Value& id) {
    if (!list || !list->is_array()) return std::nullopt;
    for (const Value& item : list->array()) {
      if (*item.Find("id") == id) return item;
    }
    return std::nullopt;
  }

  Maybe MergeItems(const Path& path, const Maybe& base, const Value& theirs, const Value& ours,
                   const Value& rule) {
    Path below = path;
    below.push_back("[element]");
    Array merged;
    for (int64_t id = 0; id < 10; ++id) {
      const Maybe in_base = Item(base, id), in_theirs = Item(theirs, id), in_ours = Item(ours, id);
      const bool removed = in_base && (!in_theirs || !in_ours);
      // Moved or not, an element that only one side removed is gone unless the other changed it.
      const Maybe item =
          removed && DeleteOf(rule) != "else" && (in_theirs == in_base || in_ours == in_base)
              ? Maybe()
              : Merge(below, in_base, in_theirs, in_ours, rule);
      if (item) merged.push_back(*item);
    }
    return Value(std::move(merged));
  }

  static Maybe MergeSets(const Maybe& base, const Value& theirs, const Value& ours) {
    const auto has = [](const Maybe& set, const Value& element) {
      return set && set->is_array() &&
             std::find(set->array().begin(), set->array().end(), element) != set->array().end();
    };
    Array merged;
    for (int64_t element = -5; element < 15; ++element) {
      const bool in_theirs = has(theirs, element), in_ours = has(ours, element);
      const bool in_base = has(base, element);
      if ((in_theirs && in_ours) || ((in_theirs || in_ours) && !in_base)) merged.push_back(element);
    }
    return Value(std::move(merged));
  }

  static Maybe Decide(const Value& rule, const Maybe& base, const Maybe& theirs,
                      const Maybe& ours) {
    const bool counter = rule.Find("rule") != nullptr && *rule.Find("rule") == Value("counter");
    const auto number = [](const Maybe& value) { return value && value->is_number(); };
    if (counter && number(theirs) && number(ours) && (!base || number(base))) {
      return Value(*theirs->AsInt64() + *ours->AsInt64() - (base ? *base->AsInt64() : 0));
    }
    if (theirs == ours || ours == base) return theirs;
    if (theirs == base) return ours;
    if (!theirs || !ours) {
      const std::string policy = DeleteOf(rule);
      if (policy == "edit_wins") return theirs ? theirs : ours;
      if (policy == "delete_wins") return std::nullopt;
    }
    return Between(rule, base, theirs, ours);
  }

  static Maybe Between(const Value& rule, const Maybe& base, const Maybe& theirs,
                       const Maybe& ours) {
    const Value* name = rule.is_string() ? &rule : rule.Find("rule");
    const std::string kind = name == nullptr ? "" : std::string(name->string());
    if (kind == "ours" || kind == "lww") return ours;
    if (kind == "theirs" || kind == "first_write" || kind == "ask") return theirs;
    if ((kind == "max" || kind == "min") && theirs && ours && theirs->kind() == ours->kind()) {
      const bool numbers = theirs->is_number();
      if (numbers || theirs->is_string()) {
        const bool less =
            numbers ? *theirs->AsInt64() < *ours->AsInt64() : theirs->string() < ours->string();
        return less == (kind == "max") ? ours : theirs;
      }
    }
    if (kind == "state_machine" && theirs && ours && theirs->is_string() && ours->is_string()) {
      const Value& map = *rule.Find("transitions");
      const bool known =
          base ? base->is_string() && Leads(map, *base, *theirs) && Leads(map, *base, *ours)
               : Leads(map, *theirs, *theirs) && Leads(map, *ours, *ours);
      const bool forward = Leads(map, *theirs, *ours), back = Leads(map, *ours, *theirs);
      if (known && forward != back) return forward ? ours : theirs;
    }
    const Value* otherwise = rule.is_object() ? rule.Find("else") : nullptr;
    return otherwise == nullptr ? ours : Between(*otherwise, base, theirs, ours);
  }

  // Whether `to` can be reached in at most `steps`, each of a state that the map knows.
  static bool Leads(const Value& map, const Value& from, const Value& to, int steps = 4) {
    bool known = map.Find(from.string()) != nullptr;
    for (const json::Member& member : map.object()) {
      for (const Value& state : member.value.array()) known = known || state == from;
    }
    if (!known) return false;
    if (from == to) return true;
    const Value* next = map.Find(from.string());
    if (next == nullptr || steps == 0) return false;
    for (const Value& state : next->array()) {
      if (Leads(map, state, to, steps - 1)) return true;
    }
    return false;
  }

  const Value& rules_;
};

// Lists known by key, and sets, in one order.
Value Sorted(const Value& document) {
  Value sorted = document;
  for (const char* key : {"items", "set"}) {
    Value* list = sorted.Find(key);
    if (list == nullptr || !list->is_array()) continue;
    std::sort(list->array().begin(), list->array().end(), [](const Value& a, const Value& b) {
      const Value* a_key = a.is_object() ? a.Find("id") : &a;
      const Value* b_key = b.is_object() ? b.Find("id") : &b;
      return *a_key->AsInt64() < *b_key->AsInt64();
    });
  }
  return sorted;
}

// Whether an element stays that one side removed and the other moved: the model knows no order.
bool KeptForItsPlace(const MergeResult& merged) {
  for (const auto* decisions : {&merged.decisions, &merged.conflicts}) {
    for (const Decision& decision : *decisions) {
      if (decision.kind == ConflictKind::kMoveDelete && decision.rule != RuleKind::kDeleteWins) {
        return true;
      }
    }
  }
  return false;
}

TEST(MergeModel, DocumentsUnderRandomRulesMergeAsTheModelSays) {
  ExpectRuledLaw({.texts = false, .sequences = false}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    for (const char* key : {"items", "set"}) {  // Sequences have a model of their own.
      const Rule* rule = set.RuleAt(set.Member(set.root(), key));
      if (rule == nullptr) return true;
    }
    const MergeResult merged = Merge(c.base, c.theirs, c.ours, {.rules = &set}).value();
    if (!merged.notes.empty() || KeptForItsPlace(merged)) return true;
    const Maybe expected = Model(c.rules).Merge({}, c.base, c.theirs, c.ours, c.rules);
    return expected && merged.value && Sorted(*merged.value) == Sorted(*expected);
  });
}

// One change of a side: elements [begin, end) of the base become `instead`.
struct Change {
  size_t begin, end;
  Array instead;
};

bool Same(const Change& a, const Change& b) {
  return a.begin == b.begin && a.end == b.end && a.instead == b.instead;
}

bool Meet(const Change& a, const Change& b) {
  if (Same(a, b)) return false;
  const bool a_inserts = a.begin == a.end, b_inserts = b.begin == b.end;
  if (a_inserts && b_inserts) return a.begin == b.begin;
  if (a_inserts) return b.begin < a.begin && a.begin < b.end;
  if (b_inserts) return a.begin < b.begin && b.begin < a.end;
  return a.begin < b.end && b.begin < a.end;
}

// Random changes that do not touch each other, with elements that are nowhere else: so there is one
// way to match the result with the base.
std::vector<Change> RandomChanges(json::RandomValue& random, size_t size, int& fresh) {
  std::vector<Change> changes;
  for (size_t at = random.Below(3); at <= size; at += 1 + random.Below(3)) {
    Change change{at, std::min(size, at + random.Below(3)), {}};
    for (size_t i = random.Below(3); i > 0; --i) change.instead.push_back(++fresh);
    if (change.begin == change.end && change.instead.empty()) continue;
    at = change.end + 1;
    changes.push_back(std::move(change));
  }
  return changes;
}

Array Applied(const Array& base, const std::vector<Change>& changes) {
  Array result;
  size_t next = 0;
  for (const Change& change : changes) {
    result.insert(result.end(), base.begin() + static_cast<std::ptrdiff_t>(next),
                  base.begin() + static_cast<std::ptrdiff_t>(change.begin));
    result.insert(result.end(), change.instead.begin(), change.instead.end());
    next = change.end;
  }
  result.insert(result.end(), base.begin() + static_cast<std::ptrdiff_t>(next), base.end());
  return result;
}

TEST(MergeModel, SequencesWhoseChangesDoNotMeetHoldThemAll) {
  size_t clean = 0;
  for (uint64_t seed = 0; seed < testing::PropertyCases(); ++seed) {
    json::RandomValue random(seed);
    Array base;
    for (size_t i = random.Below(12); i > 0; --i) base.push_back(-static_cast<int64_t>(i));
    int fresh = 0;
    std::vector<Change> theirs = RandomChanges(random, base.size(), fresh);
    std::vector<Change> ours = RandomChanges(random, base.size(), fresh);
    bool meet = false;
    std::vector<Change> all = theirs;
    for (const Change& change : ours) {
      for (const Change& other : theirs) meet = meet || Meet(change, other);
      all.push_back(change);
    }
    const MergeResult merged =
        Merge(Value(base), Value(Applied(base, theirs)), Value(Applied(base, ours))).value();
    ASSERT_EQ(merged.overlapped, meet) << "seed " << seed;
    if (meet) continue;
    ++clean;
    std::sort(all.begin(), all.end(), [](const Change& a, const Change& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    all.erase(std::unique(all.begin(), all.end(), Same), all.end());
    ASSERT_EQ(*merged.value, Value(Applied(base, all))) << "seed " << seed;
  }
  EXPECT_GT(clean, testing::PropertyCases() / 10);
}

}  // namespace
}  // namespace bdcsync::merge
