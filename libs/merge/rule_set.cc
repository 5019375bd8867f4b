#include "libs/merge/rule_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::merge {

// Turns patterns into a table. A state is the set of positions in patterns that a path has come to
// (the subset construction); position p of rule r means that its first p steps are matched.
class RuleTableBuilder {
 public:
  explicit RuleTableBuilder(RuleSet& set, const std::vector<PathRule>& rules)
      : set_(set), rules_(rules) {}

  absl::Status Run() {
    for (const PathRule& rule : rules_) {
      for (const PathStep& step : rule.path) {
        if (step.any) continue;
        set_.columns_.try_emplace(step.name, static_cast<uint32_t>(set_.columns_.size() + 2));
      }
    }
    names_.resize(set_.width());
    for (const auto& [name, column] : set_.columns_) names_[column] = &name;
    StateOf({});
    Positions start;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) start.push_back({rule, 0});
    StateOf(std::move(start));
    for (size_t state = 0; state < reached_.size(); ++state) {
      for (uint32_t column = 0; column < names_.size(); ++column) {
        if (reached_.size() > RuleSet::kStatesMax ||
            reached_.size() * names_.size() > RuleSet::kTableCellsMax) {
          return MakeErrorAt(Reason::kTooLarge, "/rules",
                             "the patterns are too many to tell apart: use fewer with .., or fewer "
                             "names");
        }
        set_.table_.push_back(StateOf(After(*reached_[state], column)));
      }
    }
    for (const Positions* positions : reached_) set_.rule_at_.push_back(FirstMatched(*positions));
    return absl::OkStatus();
  }

 private:
  using Position = std::pair<uint32_t, uint32_t>;
  using Positions = std::vector<Position>;  // Ascending.

  RuleSet::State StateOf(Positions positions) {
    const auto next = static_cast<RuleSet::State>(reached_.size());
    const auto [entry, added] = states_.try_emplace(std::move(positions), next);
    if (added) reached_.push_back(&entry->first);
    return entry->second;
  }

  bool Matches(const PathStep& step, uint32_t column) const {
    return step.any || (names_[column] != nullptr && *names_[column] == step.name);
  }

  Positions After(const Positions& positions, uint32_t column) const {
    Positions after;
    for (const auto& [rule, position] : positions) {
      if (position == rules_[rule].path.size()) continue;
      const PathStep& step = rules_[rule].path[position];
      if (step.deep) after.emplace_back(rule, position);
      if (Matches(step, column)) after.emplace_back(rule, position + 1);
    }
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    return after;
  }

  uint32_t FirstMatched(const Positions& positions) const {
    for (const auto& [rule, position] : positions) {
      if (position == rules_[rule].path.size()) return rule;
    }
    return RuleSet::kNone;
  }

  RuleSet& set_;
  const std::vector<PathRule>& rules_;
  std::vector<const std::string*> names_;  // By column; nullptr: no name.
  std::map<Positions, RuleSet::State> states_;
  std::vector<const Positions*> reached_;  // By state; keys of states_.
};

absl::StatusOr<RuleSet> RuleSet::Compile(std::vector<PathRule> rules, Rule everywhere) {
  if (rules.size() > kRulesMax) {
    return MakeErrorAt(Reason::kTooLarge, "/rules",
                       absl::StrCat("a rule set holds at most ", kRulesMax, " rules"));
  }
  RuleSet set;
  set.everywhere_ = std::move(everywhere);
  if (!rules.empty()) RETURN_IF_ERROR(RuleTableBuilder(set, rules).Run());
  for (PathRule& rule : rules) set.rules_.push_back(std::move(rule.rule));
  set.Note(set.everywhere_);
  for (const Rule& rule : set.rules_) set.Note(rule);
  return set;
}

void RuleSet::Note(const Rule& first) {
  for (const Rule* rule = &first; rule != nullptr; rule = rule->otherwise.get()) {
    has_scripts_ = has_scripts_ || rule->kind == RuleKind::kScript;
    if (rule->kind != RuleKind::kRemote || absl::c_linear_search(resolvers_, rule->resolver)) {
      continue;
    }
    resolvers_.push_back(rule->resolver);
  }
}

}  // namespace bdcsync::merge
