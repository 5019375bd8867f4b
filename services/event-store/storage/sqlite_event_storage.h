// The event log in a SQLite file (or in memory): the embedded store. One writer at a time; readers
// have connections of their own, but in memory, where all share one. Durable when Commit returns:
// beside the file lies a journal of the latest commits, `path` and "-tail", until they are in the
// file (sqlite_tail.h); a read that follows a commit waits until it is handed over. A file belongs
// to one process. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/ids.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

// Opens or creates the store in the file `path`, or in memory for sql::kSqliteMemory. `random` is
// borrowed for the call: new logs get their epochs from it. `cache_bytes`: pages that the writer
// keeps in memory.
//   FAILED_PRECONDITION  another process has the file open, or an older copy of it was put back
//                        beside the journal of a later one.
absl::StatusOr<std::unique_ptr<EventStorage>> OpenSqliteEventStorage(
    absl::string_view path, const EventStorageOptions& options, Random& random,
    int64_t cache_bytes = kSqliteCacheBytes);

}  // namespace bdcsync::event_store
