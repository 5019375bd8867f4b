// Conflicts in the SQLite file that also holds the records, over a connection of its own: reading
// them keeps nobody from recording. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

// Opens or creates the store in the file `path`.
absl::StatusOr<std::unique_ptr<DeskStorage>> OpenSqliteDeskStorage(absl::string_view path);

}  // namespace bdcsync::conflict
