// Counts in the SQLite file of the records, over a connection of its own that only reads.
// Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/analysis_storage.h"

namespace bdcsync::conflict {

// Opens or creates the store in the file `path`.
absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenSqliteAnalysisStorage(absl::string_view path);

}  // namespace bdcsync::conflict
