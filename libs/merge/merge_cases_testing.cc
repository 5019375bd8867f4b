#include "libs/merge/merge_cases_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "libs/json/serialize.h"
#include "libs/merge/rule_set.h"
#include "libs/testing/property_cases.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Object;
using json::RandomValue;
using json::Value;

const char* const kStates[] = {"new", "open", "done", "gone"};
const char* const kWords[] = {"one", "two", " ", "\n", "three", ", ", "\xc3\xa9t\xc3\xa9"};

template <size_t N>
const char* OneOf(RandomValue& random, const char* const (&words)[N]) {
  return words[random.Below(N)];
}

class DocumentMaker {
 public:
  DocumentMaker(RandomValue& random, const CaseOptions& options)
      : random_(random), options_(options) {}

  Value Make() {
    Value document = Value(Object());
    for (size_t i = 0; i < 8; ++i) EditOnce(document);
    return document;
  }
  Value Edit(const Value& document) {
    Value edited = document;
    for (size_t i = random_.Below(6); i > 0; --i) EditOnce(edited);
    return edited;
  }

 private:
  Value Number() { return static_cast<int64_t>(random_.Below(20)) - 5; }

  Value Text() {
    std::string text;
    for (size_t i = random_.Below(6); i > 0; --i) text += OneOf(random_, kWords);
    return text;
  }

  void EditSet(Value& document) {
    Value& set = Child(document, "set", Array());
    Array& array = set.array();
    if (array.empty() || random_.Below(2) == 0) {
      const Value element = Number();
      const bool known = std::find(array.begin(), array.end(), element) != array.end();
      // A client may hold an element twice.
      if (known && random_.Below(4) > 0) return;
      array.insert(array.begin() + Place(array), element);
    } else {
      array.erase(array.begin() + Place(array) % static_cast<std::ptrdiff_t>(array.size()));
    }
  }

  void EditItems(Value& document) {
    Array& items = Child(document, "items", Array()).array();
    const size_t choice = random_.Below(5);
    if (items.empty() || choice == 0) {
      const Value id = static_cast<int64_t>(random_.Below(8));
      for (const Value& item : items) {
        if (item.is_object() && item.Find("id") != nullptr && *item.Find("id") == id) return;
      }
      Value item;
      item.Set("id", id);
      items.insert(items.begin() + Place(items), std::move(item));
    } else if (choice == 1) {
      Value::ExtractFrom(items, random_.Below(items.size()));
    } else if (choice == 2) {
      Value item = Value::ExtractFrom(items, random_.Below(items.size()));
      Value::InsertInto(items, random_.Below(items.size() + 1), std::move(item));
    } else {
      EditFields(items[random_.Below(items.size())]);
    }
  }

  void EditFields(Value& object) {
    if (!object.is_object()) return;
    const size_t choice = random_.Below(7);
    if (choice == 0) object.Set("count", Number());
    if (choice == 1) object.Set("high", random_.Below(4) == 0 ? Text() : Number());
    if (choice == 2) object.Set("state", OneOf(random_, kStates));
    if (choice == 3) object.Set("text", Text());
    if (choice == 4 && object.object().size() > 1) {
      // Never the key of an item.
      object.object().Extract(1 + random_.Below(object.object().size() - 1));
    }
    if (choice == 5) Child(object, "deep", Object()).Set("count", Number());
    if (choice == 6 && options_.sequences) {
      Value& list = Child(object, "list", Array());
      list = random_.Edit(list, 2);
    }
  }

  void EditOnce(Value& document) {
    const size_t choice = random_.Below(10);
    if (choice < 4) return EditItems(document);
    if (choice < 6) return EditSet(document);
    if (choice == 6 && options_.sequences) {
      document.Set("free", random_.Make(2));
    } else {
      EditFields(document);
    }
  }

  // The member `key`, made anew unless it is of the kind of `fresh`.
  Value& Child(Value& parent, const char* key, Value fresh) {
    Value* child = parent.Find(key);
    if (child != nullptr && child->kind() == fresh.kind()) return *child;
    return parent.Set(key, std::move(fresh));
  }
  std::ptrdiff_t Place(const Array& array) {
    return static_cast<std::ptrdiff_t>(random_.Below(array.size() + 1));
  }

  RandomValue& random_;
  const CaseOptions& options_;
};

Value RandomElse(RandomValue& random) {
  static constexpr const char* kRules[] = {"lww", "first_write", "ours", "theirs", "ask", "max"};
  return OneOf(random, kRules);
}

Value RandomRule(RandomValue& random, const CaseOptions& options, const char* path,
                 const char* name) {
  static constexpr const char* kLeafRules[] = {
      "atomic", "max", "min", "ours", "theirs", "lww", "first_write", "ask", "state_machine"};
  static constexpr const char* kDelete[] = {"edit_wins", "delete_wins", "else"};
  std::string kind = name != nullptr ? name : OneOf(random, kLeafRules);
  if (name == nullptr && options.counters && random.Below(4) == 0) kind = "counter";
  if (name == nullptr && options.texts && random.Below(4) == 0) kind = "text";
  Value rule;
  rule.Set("path", path);
  rule.Set("rule", kind);
  if (kind == "keyed_list") rule.Set("key", "id");
  if (kind == "state_machine") {
    Value transitions;
    transitions.Set("new", Array{"open", "gone"});
    transitions.Set("open", Array{"done"});
    if (random.Below(3) == 0) transitions.Set("done", Array{"open"});
    rule.Set("transitions", std::move(transitions));
  }
  const bool always =
      kind == "ours" || kind == "theirs" || kind == "lww" || kind == "first_write" || kind == "ask";
  if (!always && random.Below(2) == 0) rule.Set("else", RandomElse(random));
  if (random.Below(3) == 0) rule.Set("delete", OneOf(random, kDelete));
  return rule;
}

Value RandomRules(RandomValue& random, const CaseOptions& options) {
  static constexpr const char* kPlaces[] = {"$.count",
                                            "$.high",
                                            "$.state",
                                            "$.text",
                                            "$.items[*].count",
                                            "$.items[*].state",
                                            "$..text",
                                            "$..high",
                                            "$.deep.*",
                                            "$.items[*].deep",
                                            "$['items'][*]['text']"};
  Array rules;
  for (const char* path : kPlaces) {
    if (random.Below(2) == 0) rules.push_back(RandomRule(random, options, path, nullptr));
  }
  if (random.Below(4) > 0) rules.push_back(RandomRule(random, options, "$.items", "keyed_list"));
  if (random.Below(4) > 0) rules.push_back(RandomRule(random, options, "$.set", "set_union"));
  if (random.Below(8) == 0) rules.push_back(RandomRule(random, options, "$.deep", "three_way"));
  Value set;
  set.Set("rules", std::move(rules));
  if (random.Below(2) == 0) set.Set("else", RandomElse(random));
  if (random.Below(4) == 0) set.Set("delete", "delete_wins");
  return set;
}

bool Broken(const std::function<bool(const RuledCase&)>& law, const RuledCase& candidate) {
  return ParseRuleSet(candidate.rules).ok() && !law(candidate);
}

bool Shrink(const std::function<bool(const RuledCase&)>& law, RuledCase& failing) {
  for (Value RuledCase::*part :
       {&RuledCase::rules, &RuledCase::base, &RuledCase::theirs, &RuledCase::ours}) {
    for (const Value& smaller : json::SmallerThan(failing.*part)) {
      RuledCase candidate = failing;
      candidate.*part = smaller;
      if (!Broken(law, candidate)) continue;
      failing = std::move(candidate);
      return true;
    }
  }
  return false;
}

}  // namespace

RuledCase RandomRuledCase(uint64_t seed, const CaseOptions& options) {
  RandomValue random(seed);
  DocumentMaker documents(random, options);
  RuledCase result;
  result.base = documents.Make();
  result.theirs = documents.Edit(result.base);
  result.ours = documents.Edit(result.base);
  result.rules = RandomRules(random, options);
  return result;
}

void ExpectRuledLaw(const CaseOptions& options, const std::function<bool(const RuledCase&)>& law) {
  for (uint64_t seed = 0; seed < testing::PropertyCases(); ++seed) {
    RuledCase random = RandomRuledCase(seed, options);
    ASSERT_TRUE(ParseRuleSet(random.rules).ok()) << json::Serialize(random.rules);
    if (law(random)) continue;
    while (Shrink(law, random)) {
    }
    FAIL() << "seed " << seed << ", shrunk to\nrules  " << json::Serialize(random.rules)
           << "\nbase   " << json::Serialize(random.base) << "\ntheirs "
           << json::Serialize(random.theirs) << "\nours   " << json::Serialize(random.ours);
  }
}

}  // namespace bdcsync::merge
