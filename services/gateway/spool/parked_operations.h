// What became of stored operations that were refused: kept with their reason until an operator
// tries them again or deletes them. A port, implemented beside the spool. Thread-safe; callbacks
// run exactly once, on any thread, and must not block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::gateway {

// Operations that came together.
struct ParkedGroup {
  int64_t id = 0;  // Grows in the order in which they were stored.
  std::string space;
  std::string reason;  // The error code.
  absl::Time stored;
  absl::Time parked;
  size_t bytes = 0;  // Of the operations, as they are stored.
  version::v1::CommitRequest operations;
};

class ParkedOperations {
 public:
  template <typename Result>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Result>)>;

  virtual ~ParkedOperations() = default;
  // Those after `after_id`, oldest first: no more than `limit`, and no more once there are two of
  // them and they have more than `bytes_max`. All three: UNAVAILABLE while the gateway stops or its
  // disk fails.
  virtual void List(int64_t after_id, size_t limit, size_t bytes_max,
                    Done<std::vector<ParkedGroup>> done) = 0;
  // Makes groups wait again, each at its old place. One status for each id: OK or kNotFound.
  virtual void Retry(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) = 0;
  // Deletes groups for good. One status for each id: OK or kNotFound.
  virtual void Discard(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) = 0;
};

}  // namespace bdcsync::gateway
