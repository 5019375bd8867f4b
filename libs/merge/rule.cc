#include "libs/merge/rule.h"

namespace bdcsync::merge {
namespace {

constexpr absl::string_view kRuleNames[] = {
    "three_way",   "sequence", "set_union",     "keyed_list",  "atomic", "counter", "max",
    "min",         "text",     "state_machine", "script",      "remote", "ours",    "theirs",
    "first_write", "lww",      "edit_wins",     "delete_wins", "ask"};

constexpr absl::string_view kSideNames[] = {"base", "theirs", "ours", "merged", "value"};
constexpr absl::string_view kPickNames[] = {"base", "theirs", "ours", "proposed", "value"};

template <typename Enum, size_t N>
std::optional<Enum> FromName(const absl::string_view (&names)[N], absl::string_view name) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

absl::string_view SideName(Side side) { return kSideNames[static_cast<size_t>(side)]; }

std::optional<Side> SideFromName(absl::string_view name) {
  return FromName<Side>(kSideNames, name);
}

absl::string_view PickName(Pick pick) { return kPickNames[static_cast<size_t>(pick)]; }

std::optional<Pick> PickFromName(absl::string_view name) {
  return FromName<Pick>(kPickNames, name);
}

absl::string_view RuleName(RuleKind rule) { return kRuleNames[static_cast<size_t>(rule)]; }

std::optional<RuleKind> RecordedRule(absl::string_view name) {
  return FromName<RuleKind>(kRuleNames, name);
}

std::optional<RuleKind> RuleFromName(absl::string_view name) {
  const std::optional<RuleKind> kind = RecordedRule(name);
  if (kind == RuleKind::kEditWins || kind == RuleKind::kDeleteWins) return std::nullopt;
  return kind;
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
