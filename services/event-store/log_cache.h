// What one writer remembers of its logs: head rows, spaces, stream heads and recent operation keys.
// A guess that the compare-and-set of a commit proves right: another replica may have written
// since. Not thread-safe: it belongs to the writer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/event-store/bounded_cache.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

struct LogCacheLimits {
  std::size_t spaces_bytes_max = 16 << 20;
  std::size_t streams_bytes_max = 64 << 20;
  std::size_t operations_max = 65536;
};

class LogCache {
 public:
  explicit LogCache(const LogCacheLimits& limits)
      : limits_(limits), spaces_(limits.spaces_bytes_max), streams_(limits.streams_bytes_max) {}

  // The head row as this writer last saw it, or nullptr.
  const LogState* FindLog(uint32_t log_id) const;
  void PutLog(const LogState& log) { logs_[log.log_id] = log; }

  const SpaceState* FindSpace(const SpaceName& name);
  void PutSpace(const SpaceName& name, const SpaceState& state);
  const StreamState* FindStream(const StreamName& name);
  void PutStream(const StreamName& name, const StreamState& state);
  // What the key was used for in the log's present epoch, position 0: not remembered.
  OperationState FindOperation(const OperationName& name) const;
  void PutOperation(const OperationName& name, const OperationState& state);

  // Moves what is remembered ahead to an event that another writer committed.
  void Apply(const v1::Event& event);
  // Forgets the log's spaces, streams and operation keys.
  void Forget(uint32_t log_id);

  // Of streams; from any thread.
  uint64_t hits() const { return streams_.hits(); }
  uint64_t misses() const { return streams_.misses(); }

 private:
  struct OperationId {
    OperationKey key;
    std::size_t space_hash = 0;
    friend bool operator==(const OperationId&, const OperationId&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const OperationId& id) {
      return H::combine(std::move(h), id.key, id.space_hash);
    }
  };
  struct Operation {
    uint32_t log_id = 0;
    uint64_t epoch = 0;
    OperationState state;
  };
  static OperationId IdOf(const OperationName& name);
  absl::string_view KeyOf(const SpaceName& name);
  absl::string_view KeyOf(const StreamName& name);

  const LogCacheLimits limits_;
  absl::flat_hash_map<uint32_t, LogState> logs_;
  BoundedCache<SpaceState> spaces_;
  BoundedCache<StreamState> streams_;
  absl::flat_hash_map<OperationId, Operation> operations_;
  std::deque<OperationId> operation_order_;  // Oldest first.
  std::string key_;                          // The last key made, to save an allocation each.
};

}  // namespace bdcsync::event_store
