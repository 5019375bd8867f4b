// The event log in one PostgreSQL database, schema `event_store`. A batch of several logs is one
// statement and one round trip; replicas that share the database are safe, each log's head row
// decides. Partitions of the events are made ahead of need. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

// Positions of every log in one partition: with 64 logs some 17 million events. Never change it for
// a store that exists.
inline constexpr int64_t kPartitionPositions = 1 << 18;

// As PostgreSQL is built everywhere.
inline constexpr int64_t kBlockBytes = 8192;

struct PostgresEventStorageOptions {
  std::string url;
  std::size_t writers = 2;  // Connections that commit, at once, beside those of lines.
  std::size_t readers = 8;  // Connections that read.
  int64_t partition_positions = kPartitionPositions;
  int64_t sweep_blocks_max = kSweepBytesMax / kBlockBytes;  // That one SweepOperations looks at.
};

// Opens or creates the store; replicas may do so at once. `random` is borrowed for the call,
// `clock` for the storage's life.
absl::StatusOr<std::unique_ptr<EventStorage>> OpenPostgresEventStorage(
    const PostgresEventStorageOptions& postgres, const EventStorageOptions& options,
    const Clock& clock, Random& random);

}  // namespace bdcsync::event_store
