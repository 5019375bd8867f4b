// Merges a conflict by the default rules, and at the places that were open when it was opened as
// was chosen; knows places that a JSON pointer names through objects. Thread-safe.
#pragma once

#include <cstddef>

#include "services/conflict/merge_conflict.h"

namespace bdcsync::conflict {

class PathMerger final : public ConflictMerger {
 public:
  explicit PathMerger(size_t matching_work_max) : matching_work_max_(matching_work_max) {}

  absl::Status Merge(const v1::Conflict& conflict, const v1::DecideItem& item,
                     const std::vector<v1::Choice>& kept, v1::DecideResult& result) const override;

 private:
  const size_t matching_work_max_;
};

}  // namespace bdcsync::conflict
