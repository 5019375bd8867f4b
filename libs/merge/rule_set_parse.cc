// Rule sets as JSON.
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/pointer.h"
#include "libs/merge/rule_set.h"

namespace bdcsync::merge {
namespace {

using json::Value;

constexpr size_t kKeysMax = 16;
constexpr size_t kElseDepthMax = 8;

std::string Below(std::string place, absl::string_view member) {
  json::AppendToken(member, place);
  return place;
}

// Reads one rule set and knows where in it it stands.
class RuleSetReader {
 public:
  absl::StatusOr<RuleSet> Read(const Value& set) {
    if (!set.is_object()) return Wrong("", "a rule set is an object with the member `rules`");
    RETURN_IF_ERROR(CheckMembers(set, "", {"rules", "else", "delete"}));
    Rule everywhere;
    RETURN_IF_ERROR(ReadDelete(set, "", everywhere));
    RETURN_IF_ERROR(ReadElse(set, "", 0, everywhere));
    std::vector<PathRule> rules;
    const Value* list = set.Find("rules");
    if (list == nullptr || !list->is_array()) return Wrong("/rules", "expected a list of rules");
    for (size_t i = 0; i < list->array().size(); ++i) {
      ASSIGN_OR_RETURN(PathRule rule, ReadPathRule(list->array()[i], absl::StrCat("/rules/", i)));
      rules.push_back(std::move(rule));
    }
    return RuleSet::Compile(std::move(rules), std::move(everywhere));
  }

 private:
  absl::Status Wrong(const std::string& place, absl::string_view what) const {
    return MakeErrorAt(
        Reason::kInvalidArgument, place,
        absl::StrCat(place.empty() ? "" : place + ": ", what,
                     pattern_.empty() ? "" : absl::StrCat(" (rule for ", pattern_, ")")));
  }

  absl::Status CheckMembers(const Value& value, const std::string& place,
                            absl::Span<const absl::string_view> allowed) const {
    for (const json::Member& member : value.object()) {
      if (absl::c_linear_search(allowed, absl::string_view(member.key))) continue;
      return Wrong(Below(place, member.key), "no such setting here");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<PathRule> ReadPathRule(const Value& value, const std::string& place) {
    pattern_.clear();
    if (!value.is_object()) return Wrong(place, "a rule is an object");
    const Value* path = value.Find("path");
    if (path == nullptr || !path->is_string()) return Wrong(place + "/path", "expected a path");
    pattern_ = std::string(path->string());
    absl::StatusOr<std::vector<PathStep>> steps = ParsePathPattern(pattern_);
    if (!steps.ok()) return Wrong(place + "/path", steps.status().message());
    ASSIGN_OR_RETURN(Rule rule, ReadRule(value, place, 0));
    pattern_.clear();
    return PathRule{*std::move(steps), std::move(rule)};
  }

  absl::StatusOr<RuleKind> ReadKind(const Value* name, const std::string& place,
                                    bool as_else) const {
    if (name == nullptr || !name->is_string()) return Wrong(place, "expected the name of a rule");
    const std::optional<RuleKind> kind = RuleFromName(name->string());
    if (!kind) return Wrong(place, absl::StrCat("there is no rule \"", name->string(), "\""));
    if (as_else && !DecidesAlone(*kind)) {
      return Wrong(place, absl::StrCat(name->string(), " cannot be an `else`"));
    }
    return *kind;
  }

  // A rule and its arguments, at a path (`depth` 0) or as an `else`.
  absl::StatusOr<Rule> ReadRule(const Value& value, const std::string& place, size_t depth) {
    Rule rule;
    ASSIGN_OR_RETURN(rule.kind, ReadKind(value.Find("rule"), place + "/rule", depth > 0));
    std::vector<absl::string_view> members = {"rule"};
    if (depth == 0) members.insert(members.end(), {"path", "delete"});
    if (!AlwaysDecides(rule.kind)) members.push_back("else");
    if (rule.kind == RuleKind::kKeyedList) members.push_back("key");
    if (rule.kind == RuleKind::kStateMachine) members.push_back("transitions");
    RETURN_IF_ERROR(CheckMembers(value, place, members));
    // A rule that always decides says otherwise than "the edit wins".
    if (AlwaysDecides(rule.kind)) rule.on_delete = OnDelete::kElse;
    RETURN_IF_ERROR(ReadDelete(value, place, rule));
    RETURN_IF_ERROR(ReadElse(value, place, depth, rule));
    if (rule.kind == RuleKind::kKeyedList) RETURN_IF_ERROR(ReadKeys(value, place + "/key", rule));
    if (rule.kind == RuleKind::kStateMachine) {
      RETURN_IF_ERROR(ReadTransitions(value, place + "/transitions", rule));
    }
    return rule;
  }

  absl::Status ReadDelete(const Value& value, const std::string& place, Rule& rule) const {
    const Value* policy = value.Find("delete");
    if (policy == nullptr) return absl::OkStatus();
    const absl::string_view name = policy->is_string() ? policy->string() : "";
    if (name == "edit_wins") {
      rule.on_delete = OnDelete::kEditWins;
    } else if (name == "delete_wins") {
      rule.on_delete = OnDelete::kDeleteWins;
    } else if (name == "else") {
      rule.on_delete = OnDelete::kElse;
    } else {
      return Wrong(place + "/delete", "expected \"edit_wins\", \"delete_wins\" or \"else\"");
    }
    return absl::OkStatus();
  }

  absl::Status ReadElse(const Value& value, const std::string& place, size_t depth, Rule& rule) {
    const Value* otherwise = value.Find("else");
    if (otherwise == nullptr) return absl::OkStatus();
    const std::string here = place + "/else";
    if (depth == kElseDepthMax) return Wrong(here, "too many `else` in each other");
    Value named;
    if (otherwise->is_string()) {
      named.Set("rule", *otherwise);
      otherwise = &named;
    }
    if (!otherwise->is_object()) return Wrong(here, "expected a rule or its name");
    ASSIGN_OR_RETURN(Rule read, ReadRule(*otherwise, here, depth + 1));
    rule.otherwise = std::make_shared<const Rule>(std::move(read));
    return absl::OkStatus();
  }

  absl::Status ReadKeys(const Value& value, const std::string& place, Rule& rule) const {
    const Value* key = value.Find("key");
    json::Array keys;
    if (key != nullptr && key->is_array()) {
      keys = key->array();
    } else if (key != nullptr) {
      keys.push_back(*key);
    }
    if (keys.empty() || keys.size() > kKeysMax) {
      return Wrong(place, absl::StrCat("expected the member that names an element, or 1 to ",
                                       kKeysMax, " of them"));
    }
    for (const Value& name : keys) {
      if (!name.is_string()) return Wrong(place, "expected a member's name");
      if (absl::c_linear_search(rule.keys, name.string())) return Wrong(place, "a key twice");
      rule.keys.emplace_back(name.string());
    }
    return absl::OkStatus();
  }

  absl::Status ReadTransitions(const Value& value, const std::string& place, Rule& rule) const {
    const Value* transitions = value.Find("transitions");
    if (transitions == nullptr || !transitions->is_object() || transitions->object().empty()) {
      return Wrong(place, "expected {\"state\": [\"state that may follow\", …], …}");
    }
    StateMachine machine;
    bool room = true;
    for (const json::Member& member : transitions->object()) {
      room = room && machine.AddState(member.key);
      const std::string here = Below(place, member.key);
      if (!member.value.is_array()) return Wrong(here, "expected a list of states");
      for (const Value& to : member.value.array()) {
        if (!to.is_string()) return Wrong(here, "a state is a string");
        room = room && machine.Allow(member.key, to.string());
      }
    }
    if (!room) return Wrong(place, absl::StrCat("more than ", StateMachine::kStatesMax, " states"));
    machine.Close();
    rule.machine = std::make_shared<const StateMachine>(std::move(machine));
    return absl::OkStatus();
  }

  std::string pattern_;  // Of the rule being read.
};

}  // namespace

absl::StatusOr<RuleSet> ParseRuleSet(const Value& rules) { return RuleSetReader().Read(rules); }

}  // namespace bdcsync::merge
