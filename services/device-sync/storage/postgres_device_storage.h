// Devices in PostgreSQL, in a schema of their own, for any number of replicas. Batches lock devices
// in order of id, so that they wait for each other and never deadlock. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/device-sync/device_storage.h"

namespace bdcsync::device_sync {

// Connects to the libpq URL `url` and brings the schema up to date. `clock` is borrowed.
absl::StatusOr<std::unique_ptr<DeviceStorage>> OpenPostgresDeviceStorage(const std::string& url,
                                                                         int connections_max,
                                                                         const Clock& clock);

}  // namespace bdcsync::device_sync
