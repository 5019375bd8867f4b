// Where records of resolutions are kept: a port, with an adapter for each store. Blocking; call it
// on a worker thread. What Put has acknowledged is durable. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

// Where a record stands: by its time, and among those of one time by its number, which follows the
// order of recording.
struct RecordPlace {
  int64_t time_ms = 0;
  int64_t number = 0;
};
// After all of them.
inline constexpr RecordPlace kNewest{std::numeric_limits<int64_t>::max(),
                                     std::numeric_limits<int64_t>::max()};

struct StoredResolution {
  int64_t number = 0;
  v1::Resolution resolution;
  RecordPlace place() const { return {resolution.time_ms(), number}; }
};

// What decisions leave behind.
struct Records {
  std::vector<v1::Resolution> resolutions;
  // Conflicts that decisions have opened, in state OPENING.
  std::vector<v1::Conflict> openings;
};

struct ResolutionQuery {
  std::string space;                  // Empty: all, of all types.
  std::string entity_type;            // Empty: all.
  std::string entity_id;              // Empty: all.
  std::optional<RecordPlace> before;  // Only older ones; nothing: all.
  int limit = 1;
  // No more once there are two and they have more, as they are kept.
  size_t bytes_max = std::numeric_limits<size_t>::max();
};

class ResolutionStorage {
 public:
  virtual ~ResolutionStorage() = default;
  // OK when the store can be reached.
  virtual absl::Status Ping() = 0;
  // Keeps all of them or none. One for an operation (space and op_id) that has one already replaces
  // it and keeps its number: the operation was decided again.
  // An operation that opens a conflict has no record until the conflict is closed; a conflict that
  // the log is known to hold already stays as it is.
  //   UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED  try again; doing it twice does no harm.
  virtual absl::Status Put(const Records& records) = 0;
  // The record of an operation; nothing when there is none.
  virtual absl::StatusOr<std::optional<v1::Resolution>> Get(const std::string& space,
                                                            const std::string& op_id) = 0;
  // Notes what undid a record that stands; the version that has undone it by then, and empty when
  // there is no such record.
  virtual absl::StatusOr<std::string> MarkUndone(const v1::RecordUndoneRequest& undone) = 0;
  // The newest first.
  virtual absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) = 0;
};

}  // namespace bdcsync::conflict
