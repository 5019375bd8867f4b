// Several storages as one: each holds a range of the logs. A call goes to the storages whose logs
// it names, and fails if one of them does, but for heads and sweeps. Thread-safe if they are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

// Logs first ≤ id < end.
struct LogRange {
  uint32_t first = 0;
  uint32_t end = 0;
};
struct StorageShard {
  LogRange logs;
  std::unique_ptr<EventStorage> storage;
};

// INVALID_ARGUMENT unless the ranges cover every log of `log_count` once.
absl::Status CheckRanges(std::vector<LogRange> ranges, uint32_t log_count);

// The shards cover every log of `log_count` once.
std::unique_ptr<EventStorage> MakeRoutedEventStorage(uint32_t log_count,
                                                     std::vector<StorageShard> shards);

}  // namespace bdcsync::event_store
