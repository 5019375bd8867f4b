// Conflicts as the store knows them, each with what was chosen for its places already. Functions
// only; the store is asked on the calling thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

using ConflictsById = std::map<std::string, StoredConflict>;

// Those of `ids` that there are. UNAVAILABLE when the store cannot be reached.
absl::StatusOr<ConflictsById> ReadConflicts(DeskStorage& storage, std::vector<std::string> ids);

// What was chosen for its places. DATA_LOSS when that cannot be read.
absl::StatusOr<std::vector<v1::Choice>> ChoicesOf(const StoredConflict& stored);

// What a caller is told of a store that failed.
absl::Status ConflictsUnavailable(const absl::Status& stored);
// What a caller is told of a conflict that there is not, or that is closed.
absl::Status NoSuchConflict();
absl::Status ConflictIsClosed();

}  // namespace bdcsync::conflict
