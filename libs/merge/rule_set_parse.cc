// Rule sets as JSON.
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
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
constexpr size_t kNameBytesMax = 128;  // Of a resolver or a user.
constexpr absl::Duration kDeadlineMin = absl::Seconds(1);
constexpr absl::Duration kDeadlineMax = absl::Hours(24 * 365);

std::string Below(std::string place, absl::string_view member) {
  json::AppendToken(member, place);
  return place;
}

// Reads one rule set and knows where in it it stands.
class RuleSetReader {
 public:
  explicit RuleSetReader(const RuleSetContext& context) : context_(context) {}

  absl::StatusOr<RuleSet> Read(const Value& set) {
    Rule everywhere;
    if (set.is_array()) return ReadList(set, "", std::move(everywhere));
    if (!set.is_object()) {
      return Wrong("", "a rule set is an object with the member `rules`, or a list of rules");
    }
    RETURN_IF_ERROR(CheckMembers(set, "", {"rules", "else", "delete"}));
    RETURN_IF_ERROR(ReadDelete(set, "", everywhere));
    RETURN_IF_ERROR(ReadElse(set, "", 0, everywhere));
    const Value* list = set.Find("rules");
    if (list == nullptr || !list->is_array()) return Wrong("/rules", "expected a list of rules");
    return ReadList(*list, "/rules", std::move(everywhere));
  }

 private:
  absl::StatusOr<RuleSet> ReadList(const Value& list, const std::string& place, Rule everywhere) {
    std::vector<PathRule> rules;
    for (size_t i = 0; i < list.array().size(); ++i) {
      ASSIGN_OR_RETURN(PathRule rule, ReadPathRule(list.array()[i], absl::StrCat(place, "/", i)));
      rules.push_back(std::move(rule));
    }
    return RuleSet::Compile(std::move(rules), std::move(everywhere));
  }

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

  // Reads a rule's name into its kind, and into its keys when they follow: `keyed_list(id)`.
  absl::Status ReadName(const Value* name, const std::string& place, bool as_else,
                        Rule& rule) const {
    if (name == nullptr || !name->is_string()) return Wrong(place, "expected the name of a rule");
    absl::string_view text = name->string();
    const bool with_keys = absl::ConsumeSuffix(&text, ")");
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(text, absl::MaxSplits('(', with_keys ? 1 : 0));
    const std::optional<RuleKind> kind = RuleFromName(parts.first);
    if (!kind || (with_keys && *kind != RuleKind::kKeyedList)) {
      return Wrong(place, absl::StrCat("there is no rule \"", name->string(), "\""));
    }
    if (as_else && !DecidesAlone(*kind)) {
      return Wrong(place, absl::StrCat(parts.first, " cannot be an `else`"));
    }
    rule.kind = *kind;
    if (!with_keys) return absl::OkStatus();
    json::Array keys;
    for (const absl::string_view key : absl::StrSplit(parts.second, ',')) {
      keys.emplace_back(std::string(absl::StripAsciiWhitespace(key)));
      if (keys.back().string().empty()) return Wrong(place, "expected keyed_list(member, …)");
    }
    return TakeKeys(keys, place, rule);
  }

  // A rule and its arguments, at a path (`depth` 0) or as an `else`.
  absl::StatusOr<Rule> ReadRule(const Value& value, const std::string& place, size_t depth) {
    Rule rule;
    RETURN_IF_ERROR(ReadName(value.Find("rule"), place + "/rule", depth > 0, rule));
    std::vector<absl::string_view> members = {"rule"};
    if (depth == 0) members.insert(members.end(), {"path", "delete"});
    if (!AlwaysDecides(rule.kind)) members.push_back("else");
    if (rule.kind == RuleKind::kKeyedList && rule.keys.empty()) members.push_back("key");
    if (rule.kind == RuleKind::kStateMachine) members.push_back("transitions");
    if (rule.kind == RuleKind::kScript) members.push_back("script");
    if (rule.kind == RuleKind::kRemote) members.push_back("resolver");
    if (rule.kind == RuleKind::kAsk) {
      members.insert(members.end(), {"deadline", "fallback", "assign_to"});
    }
    RETURN_IF_ERROR(CheckMembers(value, place, members));
    // A rule that always decides, or is asked, says otherwise than "the edit wins".
    if (AlwaysDecides(rule.kind)) rule.on_delete = OnDelete::kElse;
    const bool asked = rule.kind == RuleKind::kScript || rule.kind == RuleKind::kRemote;
    if (asked) rule.on_delete = OnDelete::kAskRule;
    RETURN_IF_ERROR(ReadDelete(value, place, rule));
    RETURN_IF_ERROR(ReadElse(value, place, depth, rule));
    RETURN_IF_ERROR(ReadArguments(value, place, rule));
    return rule;
  }

  absl::Status ReadArguments(const Value& value, const std::string& place, Rule& rule) const {
    switch (rule.kind) {
      case RuleKind::kKeyedList:
        return rule.keys.empty() ? ReadKeys(value, place + "/key", rule) : absl::OkStatus();
      case RuleKind::kStateMachine:
        return ReadTransitions(value, place + "/transitions", rule);
      case RuleKind::kScript:
        return ReadScript(value.Find("script"), place + "/script", rule);
      case RuleKind::kRemote:
        return ReadResolver(value.Find("resolver"), place + "/resolver", rule);
      case RuleKind::kAsk:
        return ReadAsk(value, place, rule);
      default:
        return absl::OkStatus();
    }
  }

  absl::Status ReadDelete(const Value& value, const std::string& place, Rule& rule) const {
    const Value* policy = value.Find("delete");
    if (policy == nullptr) return absl::OkStatus();
    const absl::string_view name = policy->is_string() ? policy->string() : absl::string_view();
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
    return TakeKeys(keys, place, rule);
  }

  absl::Status TakeKeys(const json::Array& keys, const std::string& place, Rule& rule) const {
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

  absl::Status ReadScript(const Value* text, const std::string& place, Rule& rule) const {
    if (text == nullptr || !text->is_string()) return Wrong(place, "expected a script in Lua");
    if (context_.scripts == nullptr) return Wrong(place, "scripts are not run here");
    absl::StatusOr<std::shared_ptr<const CompiledScript>> script =
        context_.scripts->Compile(text->string());
    if (!script.ok()) return Wrong(place, script.status().message());
    rule.script = *std::move(script);
    return absl::OkStatus();
  }

  absl::Status ReadResolver(const Value* name, const std::string& place, Rule& rule) const {
    RETURN_IF_ERROR(ReadText(name, place, "the name of a resolver", rule.resolver));
    if (context_.resolvers == nullptr || context_.resolvers->contains(rule.resolver)) {
      return absl::OkStatus();
    }
    return Wrong(place, absl::StrCat("there is no resolver \"", rule.resolver, "\""));
  }

  absl::Status ReadText(const Value* name, const std::string& place, absl::string_view what,
                        std::string& out) const {
    const auto is_control = [](unsigned char c) { return absl::ascii_iscntrl(c); };
    if (name == nullptr || !name->is_string() || name->string().empty() ||
        name->string().size() > kNameBytesMax || absl::c_any_of(name->string(), is_control)) {
      return Wrong(place, absl::StrCat("expected ", what, ", at most ", kNameBytesMax, " bytes"));
    }
    out = std::string(name->string());
    return absl::OkStatus();
  }

  absl::Status ReadAsk(const Value& value, const std::string& place, Rule& rule) const {
    AskArguments ask;
    if (const Value* deadline = value.Find("deadline"); deadline != nullptr) {
      absl::Duration wait;
      if (!deadline->is_string() || !absl::ParseDuration(deadline->string(), &wait) ||
          wait < kDeadlineMin || wait > kDeadlineMax) {
        return Wrong(place + "/deadline", absl::StrCat("expected a duration such as 72h, from ",
                                                       absl::FormatDuration(kDeadlineMin), " to ",
                                                       absl::FormatDuration(kDeadlineMax)));
      }
      ask.deadline = wait;
    }
    if (const Value* fallback = value.Find("fallback"); fallback != nullptr) {
      if (fallback->is_string()) ask.fallback = PickFromName(fallback->string());
      if (!ask.fallback || ask.fallback == Pick::kValue) {
        return Wrong(place + "/fallback", "expected theirs, ours, base or proposed");
      }
    }
    if (const Value* user = value.Find("assign_to"); user != nullptr) {
      RETURN_IF_ERROR(ReadText(user, place + "/assign_to", "a user", ask.assign_to));
      if (context_.can_be_user != nullptr && !context_.can_be_user(ask.assign_to)) {
        return Wrong(place + "/assign_to", "no user can be called so");
      }
    }
    rule.ask = std::make_shared<const AskArguments>(std::move(ask));
    return absl::OkStatus();
  }

  const RuleSetContext& context_;
  std::string pattern_;  // Of the rule being read.
};

}  // namespace

absl::StatusOr<RuleSet> ParseRuleSet(const Value& rules, const RuleSetContext& context) {
  return RuleSetReader(context).Read(rules);
}

}  // namespace bdcsync::merge
