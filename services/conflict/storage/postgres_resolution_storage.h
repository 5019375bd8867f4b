// Records in PostgreSQL, in a schema of their own, for any number of replicas. Batches take rows in
// order of key, so that they wait for each other and never deadlock. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

// Connects to the libpq URL `url` and brings the schema up to date. `clock` is borrowed.
absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenPostgresResolutionStorage(
    const std::string& url, int connections_max, const Clock& clock);

}  // namespace bdcsync::conflict
