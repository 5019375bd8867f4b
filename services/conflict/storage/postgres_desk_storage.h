// Conflicts in PostgreSQL, in the schema of the records, over connections of its own: whoever
// searches takes none from those who record. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

// Connects to the libpq URL `url` and brings the schema up to date. `clock` is borrowed.
absl::StatusOr<std::unique_ptr<DeskStorage>> OpenPostgresDeskStorage(const std::string& url,
                                                                     int connections_max,
                                                                     const Clock& clock);

}  // namespace bdcsync::conflict
