// What one writer remembers of its logs: head rows, spaces, stream heads and recent operation keys.
// A guess that the compare-and-set of a commit proves right: another replica may have written
// since. Const methods may run at once, as those of a container.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "services/event-store/generations.h"
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
      : spaces_(limits.spaces_bytes_max),
        streams_(limits.streams_bytes_max),
        operations_(limits.operations_max) {}

  // The head row as this writer last saw it, or nullptr.
  const LogState* FindLog(uint32_t log_id) const;
  void PutLog(const LogState& log) { logs_[log.log_id] = log; }

  const SpaceState* FindSpace(const SpaceName& name) const;
  void PutSpace(const SpaceName& name, const SpaceState& state);
  const StreamState* FindStream(uint32_t log_id, const StreamId& id) const;
  void PutStream(uint32_t log_id, const StreamId& id, const StreamState& state);
  // Begins to fetch what finding or putting it will read.
  void PrefetchStream(const StreamId& id) const { streams_.Prefetch(id); }
  void PrefetchOperation(const OperationName& name) const { operations_.Prefetch(IdOf(name)); }
  // What the key was used for in the log's present epoch, position 0: not remembered.
  OperationState FindOperation(const OperationName& name) const;
  void PutOperation(const OperationName& name, const OperationState& state);

  // Moves what is remembered ahead to an event that another writer committed.
  void Apply(const v1::Event& event);
  // Forgets the log's spaces, streams and operation keys.
  void Forget(uint32_t log_id);

  // How many streams a batch found here and did not find.
  void CountStreams(uint64_t hits, uint64_t misses) const;
  // These two from any thread.
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct Space {
    uint32_t log_id = 0;
    SpaceState state;
  };
  struct Stream {
    uint32_t log_id = 0;
    StreamState state;
  };
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

  absl::flat_hash_map<uint32_t, LogState> logs_;
  Generations<std::string, Space> spaces_;
  Generations<StreamId, Stream> streams_;
  Generations<OperationId, Operation> operations_;
  mutable std::atomic<uint64_t> hits_{0};
  mutable std::atomic<uint64_t> misses_{0};
};

}  // namespace bdcsync::event_store
