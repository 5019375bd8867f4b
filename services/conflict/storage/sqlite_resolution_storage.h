// Records in one SQLite file (or in memory): the embedded store. One connection, used by one caller
// at a time. Durable when a call returns. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

// Opens or creates the store in the file `path`, or in memory for sql::kSqliteMemory.
absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenSqliteResolutionStorage(
    absl::string_view path);

}  // namespace bdcsync::conflict
