// The one place that knows which storages there are. Functions only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

struct OpenOptions {
  std::string url;       // sqlite: or postgresql://…
  std::string data_dir;  // Where sqlite: puts its file; made if missing.
  // Log ranges ("0-31") to PostgreSQL URLs; not empty: `url` is not used.
  std::map<std::string, std::string> log_dsns;
  uint32_t log_count = 0;  // As in EventStorageOptions; with log_dsns as many as they name.
  int writers = 0;         // 0: as many as suit this machine.
  int readers = 8;
  int64_t sqlite_cache_bytes = kSqliteCacheBytes;
  int64_t sweep_bytes_max = kSweepBytesMax;
};

// What the options alone tell, without a look at files: INVALID_ARGUMENT as OpenEventStorage.
absl::Status CheckOpenOptions(const OpenOptions& options);

struct OpenedStorage {
  std::unique_ptr<EventStorage> storage;
  int writers = 1;      // How many commits it takes at once.
  bool halves = false;  // The one writer may also make two at once.
};

// INVALID_ARGUMENT: the URL or the map is wrong; FAILED_PRECONDITION: the store was made otherwise.
// `clock` is borrowed for the storage's life, `random` for the call.
absl::StatusOr<OpenedStorage> OpenEventStorage(const OpenOptions& options, const Clock& clock,
                                               Random& random);

}  // namespace bdcsync::event_store
