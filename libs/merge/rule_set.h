// The rules of one entity type, by path, compiled into a table: while a document is walked, each
// step down is one look-up, and none below the last place that a rule may be for. Immutable,
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/merge/path_pattern.h"
#include "libs/merge/rule.h"

namespace bdcsync::merge {

struct PathRule {
  std::vector<PathStep> path;
  Rule rule;
};

class RuleSet {
 public:
  static constexpr size_t kRulesMax = 256;
  // Patterns with `..` multiply; what needs more than this is refused.
  static constexpr size_t kStatesMax = 4096;
  static constexpr size_t kTableCellsMax = 1 << 21;    // States times names.
  static constexpr size_t kPositionsMax = 1 << 22;     // In patterns, of all states together.
  static constexpr size_t kCompileStepsMax = 1 << 26;  // Positions that compiling goes through.
  // A place, as far as rules are concerned. At kNoRule and below it no rule holds.
  using State = uint32_t;
  static constexpr State kNoRule = 0;

  // The defaults: three_way, then lww; an edit wins over a delete.
  RuleSet() = default;
  // Of several rules for one place the first counts. `everywhere` is a three_way rule: its `else`
  // and its `on_delete` hold wherever no rule says otherwise. kTooLarge at a limit.
  static absl::StatusOr<RuleSet> Compile(std::vector<PathRule> rules, Rule everywhere);

  State root() const { return table_.empty() ? kNoRule : 1; }
  // The place one step below `state`.
  State Member(State state, absl::string_view key) const {
    return state == kNoRule ? kNoRule : Next(state, ColumnOf(key));
  }
  State Element(State state) const { return state == kNoRule ? kNoRule : Next(state, kElement); }
  // The rule that holds there; nullptr: none.
  const Rule* RuleAt(State state) const {
    const uint32_t rule = state == kNoRule ? kNone : rule_at_[state];
    return rule == kNone ? nullptr : &rules_[rule];
  }
  const Rule& everywhere() const { return everywhere_; }
  // Whether some rule, or an `else`, is a script.
  bool has_scripts() const { return has_scripts_; }
  // The names of the programs that rules ask, each once.
  const std::vector<std::string>& resolvers() const { return resolvers_; }

 private:
  friend class RuleTableBuilder;
  static constexpr uint32_t kNone = UINT32_MAX;
  // Columns of the table: elements, members that no pattern names, and each name.
  static constexpr uint32_t kElement = 0;
  static constexpr uint32_t kOtherMember = 1;

  uint32_t ColumnOf(absl::string_view key) const {
    const auto found = columns_.find(key);
    return found == columns_.end() ? kOtherMember : found->second;
  }
  size_t width() const { return columns_.size() + 2; }
  State Next(State state, uint32_t column) const { return table_[state * width() + column]; }

  void Note(const Rule& first);

  std::vector<Rule> rules_;
  Rule everywhere_;
  bool has_scripts_ = false;
  std::vector<std::string> resolvers_;
  absl::flat_hash_map<std::string, uint32_t> columns_;
  std::vector<State> table_;       // [state][column]
  std::vector<uint32_t> rule_at_;  // Index into rules_, or kNone.
};

struct RuleSetContext {
  // Borrowed. Compiles the scripts of rules; nullptr: a rule `script` is refused.
  const ScriptCompiler* scripts = nullptr;
  // Borrowed. The programs that rules may ask; nullptr: any name.
  const absl::flat_hash_set<std::string>* resolvers = nullptr;
  // Whether a user may be called so; nullptr: any text.
  bool (*can_be_user)(absl::string_view name) = nullptr;
};

// {"rules": [{"path", "rule", …}, …], "else", "delete"}, or the list alone: docs/merging.md. All
// members but `rules` may be missing, and no others may be there. kInvalidArgument and kTooLarge;
// PathOf(status) is the place in `rules` at fault, and the message names the pattern of the rule.
absl::StatusOr<RuleSet> ParseRuleSet(const json::Value& rules, const RuleSetContext& context = {});

}  // namespace bdcsync::merge
