// What both adapters make of rows of conflicts and records. Thread-safe: functions only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

// In the order of OpenCounts.
inline constexpr std::array<v1::ConflictState, 3> kOpenStates = {
    v1::CONFLICT_STATE_OPENING, v1::CONFLICT_STATE_OPEN, v1::CONFLICT_STATE_ASSIGNED};

// DATA_LOSS when `data` is no conflict.
absl::StatusOr<StoredConflict> ReadConflict(int64_t state, absl::string_view assigned_to,
                                            absl::string_view data, absl::string_view choices);

// A serialized Resolution that holds the decisions of `resolution` alone.
std::string DecisionsOf(const v1::Resolution& resolution);

// Whether `closing` is to be written over the record that its operation has: of conflict
// `recorded_conflict_id`, with the decisions that `recorded` holds. Adds those of a merge that the
// closing itself met; what was told once with its decisions stays.
bool CompleteClosing(absl::string_view recorded_conflict_id, absl::string_view recorded,
                     v1::Resolution& closing);

// Sorts and cuts a page that several lists were put into.
void KeepNewest(int limit, std::vector<ConflictPlace>& page);
// The same for what is due; of a conflict that is due for two reasons the deadline counts.
void KeepMostOverdue(int limit, std::vector<DuePlace>& due);

}  // namespace bdcsync::conflict
