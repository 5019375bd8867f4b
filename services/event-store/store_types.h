// What the event store and its storage say to each other. Values only. Views are borrowed for the
// duration of the call that takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "services/event-store/digest.h"

namespace bdcsync::event_store {

// The head row of a log: who may write next.
struct LogState {
  uint32_t log_id = 0;
  uint64_t epoch = 0;
  int64_t next_position = 1;
  int64_t next_space_id = 1;
  int64_t time_ms = 0;  // Of the last event; time never goes back within a log.
};

struct SpaceName {
  uint32_t log_id = 0;
  absl::string_view space;
};
struct StreamName {
  uint32_t log_id = 0;
  absl::string_view space;
  absl::string_view stream;
};
struct EventPlace {
  uint32_t log_id = 0;
  int64_t position = 0;
};

// A space as it stands; space_id 0: it has no event.
struct SpaceState {
  int64_t space_id = 0;
  int64_t seq = 0;
};
// A stream as it stands; first_position 0: it has no event.
struct StreamState {
  int64_t first_position = 0;  // Of its first event.
  int64_t revision = 0;        // Of the head.
  int64_t position = 0;        // Of the head.
  uint64_t event_id = 0;       // Of the head.
  int64_t first_seq = 0;
  v1::StreamKind kind = v1::STREAM_KIND_UNSPECIFIED;
};

// 128 bits that stand for an op_id.
using OperationKey = Digest128;
struct OperationName {
  uint32_t log_id = 0;
  absl::string_view space;
  OperationKey key;
};
// What an op_id was first used for; position 0: it was not used, as far as is remembered.
struct OperationState {
  int64_t position = 0;
  uint64_t request_hash = 0;
};

// 128 bits that stand for a stream of a space in tables.
using StreamId = Digest128;

// Names whose state the committer does not know. Results come in the same order.
struct LookupRequest {
  std::vector<SpaceName> spaces;
  std::vector<StreamName> streams;
  std::vector<OperationName> operations;
  bool empty() const { return spaces.empty() && streams.empty() && operations.empty(); }
};
struct LookupResult {
  std::vector<SpaceState> spaces;
  std::vector<StreamState> streams;
  std::vector<OperationState> operations;
};

// One log's part of a commit: applied whole if the log's head row still has `epoch` and `position`,
// else without a trace. Ids, positions, seqs and revisions are the writer's.
struct LogWrite {
  struct Space {  // New.
    int64_t space_id = 0;
    absl::string_view name;
  };
  struct Stream {  // As the write leaves it; each stream once.
    StreamId stream_id{};
    bool is_new = false;
    int64_t space_id = 0;
    absl::string_view name;
    StreamState state;
    int64_t seq = 0;  // Of the head.
    bool tombstone = false;
  };
  struct Event {
    int64_t position = 0;
    int64_t space_id = 0;
    int64_t seq = 0;
    StreamId stream_id{};
    int64_t revision = 0;
    uint64_t event_id = 0;
    bool tombstone = false;
    absl::string_view meta;
    absl::string_view data;
  };
  struct Operation {
    int64_t space_id = 0;
    OperationKey key;
    uint64_t request_hash = 0;
    int64_t position = 0;
  };

  uint32_t log_id = 0;
  uint64_t epoch = 0;    // As the head row must be.
  int64_t position = 0;  // The next_position that the head row must have.
  int64_t next_position = 0;
  int64_t next_space_id = 0;
  int64_t time_ms = 0;  // Of every event in it.
  // Streams (by their state) and operations are in order of position, that of one of the events.
  std::vector<Space> spaces;
  std::vector<Stream> streams;
  std::vector<Event> events;
  std::vector<Operation> operations;
};

// What reads ask for; limits have been checked.
struct StreamRead {
  StreamName stream;
  int64_t from_revision = 0;  // Inclusive; 0: from the oldest, or from the head when backward.
  bool backward = false;
  int limit = 0;
  bool with_data = true;
  int64_t until_time_ms = 0;  // 0: all.
  int64_t bytes_max = 0;      // Stops before this many bytes, but for the first event.
};
struct SpaceRead {
  SpaceName space;
  int64_t after_seq = 0;
  bool latest = false;
  int limit = 0;
  int64_t bytes_max = 0;
  bool with_tombstones = true;
  bool with_data = true;
  v1::StreamKind kind = v1::STREAM_KIND_UNSPECIFIED;  // Unspecified: all.
};
struct LogRead {
  uint32_t log_id = 0;
  int64_t after_position = 0;
  int limit = 0;
  bool with_data = true;
  int64_t bytes_max = 0;
};
struct SpaceHead {
  uint64_t epoch = 0;
  int64_t seq = 0;
};
struct Snapshot {
  int64_t revision = 0;
  std::string data;
};

}  // namespace bdcsync::event_store
