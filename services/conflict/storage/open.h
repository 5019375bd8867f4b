// The one place that knows which kinds of storage there are.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/clock.h"
#include "services/conflict/analysis_storage.h"
#include "services/conflict/desk_storage.h"
#include "services/conflict/resolution_storage.h"
#include "services/conflict/rule_set_storage.h"

namespace bdcsync::conflict {

struct ResolutionStorageOptions {
  std::string url;       // sqlite: or postgresql://…
  std::string data_dir;  // Where SQLite keeps its file.
  int postgres_connections_max = 4;
  int desk_postgres_connections_max = 4;  // Beside those.
};

// Opens the storage and brings its schema up to date. `clock` is borrowed.
//   INVALID_ARGUMENT  the URL is of no kind that is known.
absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenResolutionStorage(
    const ResolutionStorageOptions& options, const Clock& clock);
// The same for rule sets, which are kept in the same database.
absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenRuleSetStorage(
    const ResolutionStorageOptions& options, const Clock& clock);

// The same for conflicts, which are kept where the records are.
absl::StatusOr<std::unique_ptr<DeskStorage>> OpenDeskStorage(
    const ResolutionStorageOptions& options, const Clock& clock);

// The same for counting over both.
absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenAnalysisStorage(
    const ResolutionStorageOptions& options, const Clock& clock);

}  // namespace bdcsync::conflict
