// Counts in the PostgreSQL schema of the records, over one connection of its own. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/conflict/analysis_storage.h"

namespace bdcsync::conflict {

// Connects to the libpq URL `url` and brings the schema up to date. `clock` is borrowed.
absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenPostgresAnalysisStorage(const std::string& url,
                                                                             const Clock& clock);

}  // namespace bdcsync::conflict
