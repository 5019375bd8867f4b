#include "libs/merge/rule.h"

#include <iterator>

namespace bdcsync::merge {
namespace {

constexpr absl::string_view kRuleNames[] = {
    "three_way",   "sequence", "set_union", "keyed_list",    "atomic", "counter",
    "max",         "min",      "text",      "state_machine", "ours",   "theirs",
    "first_write", "lww",      "edit_wins", "delete_wins",   "ask"};

}  // namespace

absl::string_view SideName(Side side) {
  constexpr absl::string_view kNames[] = {"base", "theirs", "ours", "merged"};
  return kNames[static_cast<size_t>(side)];
}

absl::string_view RuleName(RuleKind rule) { return kRuleNames[static_cast<size_t>(rule)]; }

std::optional<RuleKind> RuleFromName(absl::string_view name) {
  for (size_t i = 0; i < std::size(kRuleNames); ++i) {
    const auto kind = static_cast<RuleKind>(i);
    if (kind == RuleKind::kEditWins || kind == RuleKind::kDeleteWins) continue;
    if (kRuleNames[i] == name) return kind;
  }
  return std::nullopt;
}

bool AlwaysDecides(RuleKind rule) {
  return rule == RuleKind::kOurs || rule == RuleKind::kTheirs || rule == RuleKind::kFirstWrite ||
         rule == RuleKind::kLastWriteWins || rule == RuleKind::kAsk;
}

bool DecidesAlone(RuleKind rule) { return rule >= RuleKind::kCounter; }

bool StateMachine::AddState(absl::string_view name) {
  if (states_.contains(name)) return true;
  if (states_.size() == kStatesMax) return false;
  states_.emplace(name, states_.size());
  for (std::vector<bool>& row : reached_) row.push_back(false);
  reached_.emplace_back(states_.size(), false);
  reached_.back().back() = true;
  return true;
}

bool StateMachine::Allow(absl::string_view from, absl::string_view to) {
  if (!AddState(from) || !AddState(to)) return false;
  reached_[states_.find(from)->second][states_.find(to)->second] = true;
  return true;
}

void StateMachine::Close() {
  for (size_t via = 0; via < reached_.size(); ++via) {
    for (std::vector<bool>& row : reached_) {
      if (!row[via]) continue;
      for (size_t to = 0; to < row.size(); ++to) row[to] = row[to] || reached_[via][to];
    }
  }
}

bool StateMachine::Reaches(absl::string_view from, absl::string_view to) const {
  const auto start = states_.find(from);
  const auto end = states_.find(to);
  if (start == states_.end() || end == states_.end()) return false;
  return reached_[start->second][end->second];
}

}  // namespace bdcsync::merge
