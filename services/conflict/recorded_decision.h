// Decisions as records hold them, read back for the merge. Pure. Thread-safe.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/decision.h"

namespace bdcsync::conflict {

// DATA_LOSS when it is not what MeetingRules::AddTo wrote.
absl::StatusOr<merge::Decision> ReadDecision(const v1::Decision& decision);
absl::StatusOr<std::vector<merge::Decision>> ReadDecisions(const v1::Resolution& record);

}  // namespace bdcsync::conflict
