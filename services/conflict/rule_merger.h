// Merges a conflict by the rules that hold for its entity type, as a meeting is merged, and at its
// open places as was chosen. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "libs/base/clock.h"
#include "services/conflict/merge_conflict.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {

class RuleMerger final : public ConflictMerger {
 public:
  using Rules = std::function<std::shared_ptr<const ActiveRules>()>;
  using OnScript = std::function<void(absl::string_view entity_type, const absl::Status& run)>;

  // `rules` gives the sets that hold; `on_script` is told of every run of a script. The clock is
  // borrowed.
  RuleMerger(Rules rules, const Clock& clock, ResolveLimits limits, OnScript on_script)
      : rules_(std::move(rules)),
        clock_(clock),
        limits_(limits),
        on_script_(std::move(on_script)) {}

  absl::StatusOr<bool> Merge(const v1::Conflict& conflict, const v1::DecideItem& item,
                             const std::vector<v1::Choice>& kept, merge::RuleEvaluator& remote,
                             v1::DecideResult& result) const override;

 private:
  const Rules rules_;
  const Clock& clock_;
  const ResolveLimits limits_;
  const OnScript on_script_;
};

}  // namespace bdcsync::conflict
