#include "libs/merge/rule_set.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/node_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::merge {

// Turns patterns into a table. A state is the set of positions in patterns that a path has come to
// (the subset construction); position p of rule r means that its first p steps are matched. Sets of
// a few hundred patterns with `..` can have a million positions in thousands of states, so what is
// gone through and kept is bounded.
class RuleTableBuilder {
 public:
  explicit RuleTableBuilder(RuleSet& set, const std::vector<PathRule>& rules)
      : set_(set), rules_(rules) {}

  absl::Status Run() {
    for (const PathRule& rule : rules_) {
      std::vector<uint32_t>& columns = columns_.emplace_back();
      for (const PathStep& step : rule.path) columns.push_back(ColumnOf(step));
    }
    StateOf({});
    Positions start;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) start.push_back({rule, 0});
    StateOf(std::move(start));
    for (size_t state = 0; state < reached_.size(); ++state) {
      if (!AddRow(*reached_[state])) {
        return MakeErrorAt(Reason::kTooLarge, "/rules",
                           "the patterns are too many to tell apart: use fewer with .., or fewer "
                           "names");
      }
    }
    for (const Positions* positions : reached_) set_.rule_at_.push_back(FirstMatched(*positions));
    return absl::OkStatus();
  }

 private:
  using Position = std::pair<uint32_t, uint32_t>;
  using Positions = std::vector<Position>;  // Ascending.

  // The bytes at once: element by element it would be what most of the time goes to.
  struct PositionsHash {
    size_t operator()(const Positions& positions) const {
      static_assert(sizeof(Position) == 2 * sizeof(uint32_t), "no bytes between or behind them");
      return absl::HashOf(absl::string_view(reinterpret_cast<const char*>(positions.data()),
                                            positions.size() * sizeof(Position)));
    }
  };

  static constexpr uint32_t kAny = RuleSet::kElement;  // As the column of a step.

  uint32_t ColumnOf(const PathStep& step) {
    if (step.any) return kAny;
    return set_.columns_.try_emplace(step.name, static_cast<uint32_t>(set_.columns_.size() + 2))
        .first->second;
  }

  bool HasRoom() const {
    return reached_.size() <= RuleSet::kStatesMax &&
           reached_.size() * set_.width() <= RuleSet::kTableCellsMax &&
           kept_ <= RuleSet::kPositionsMax && steps_ <= RuleSet::kCompileStepsMax;
  }

  // False: a limit is passed.
  bool AddRow(const Positions& positions) {
    if (!HasRoom()) return false;
    const size_t row = set_.table_.size();
    // Names that no step here asks for lead where elements lead.
    set_.table_.resize(row + set_.width(), StateOf(After(positions, kAny)));
    std::vector<uint32_t> named;
    for (const auto& [rule, position] : positions) {
      if (position == columns_[rule].size()) continue;
      if (const uint32_t column = columns_[rule][position]; column != kAny) named.push_back(column);
    }
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    for (const uint32_t column : named) {
      if (!HasRoom()) return false;
      set_.table_[row + column] = StateOf(After(positions, column));
    }
    return HasRoom();
  }

  RuleSet::State StateOf(Positions positions) {
    const auto next = static_cast<RuleSet::State>(reached_.size());
    const auto [entry, added] = states_.try_emplace(std::move(positions), next);
    if (added) {
      reached_.push_back(&entry->first);
      kept_ += entry->first.size();
    }
    return entry->second;
  }

  // Each position leads to itself or the next one, so they stay in order.
  Positions After(const Positions& positions, uint32_t column) {
    steps_ += positions.size();
    Positions after;
    after.reserve(positions.size());
    const auto add = [&after](Position position) {
      if (after.empty() || after.back() != position) after.push_back(position);
    };
    for (const auto& [rule, position] : positions) {
      if (position == columns_[rule].size()) continue;
      if (rules_[rule].path[position].deep) add({rule, position});
      const uint32_t wanted = columns_[rule][position];
      if (wanted == kAny || wanted == column) add({rule, position + 1});
    }
    return after;
  }

  uint32_t FirstMatched(const Positions& positions) const {
    for (const auto& [rule, position] : positions) {
      if (position == columns_[rule].size()) return rule;
    }
    return RuleSet::kNone;
  }

  RuleSet& set_;
  const std::vector<PathRule>& rules_;
  std::vector<std::vector<uint32_t>> columns_;  // Of each rule's steps.
  absl::node_hash_map<Positions, RuleSet::State, PositionsHash> states_;
  std::vector<const Positions*> reached_;  // By state; keys of states_.
  size_t kept_ = 0;                        // Positions in all states.
  size_t steps_ = 0;                       // Positions gone through.
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
