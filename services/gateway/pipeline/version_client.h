// What the gateway needs of the version service. Thread-safe; callbacks run exactly once, on any
// thread, and must not block. A call that fails with UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED
// may have had its effect: operations are repeated with the same op_id.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::gateway {

class VersionClient {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~VersionClient() = default;
  // Commits for one space go to one replica as long as their number stays the same and that one can
  // be reached; any replica may serve any space. At least 1.
  virtual size_t replicas() const = 0;
  // `request` must not change any more: it may be read after a call that failed.
  virtual void Commit(size_t replica, std::shared_ptr<const version::v1::CommitRequest> request,
                      Done<version::v1::CommitResponse> done) = 0;
  virtual void GetEntities(size_t replica, version::v1::GetEntitiesRequest request,
                           Done<version::v1::GetEntitiesResponse> done) = 0;
  virtual void GetHistory(size_t replica, version::v1::GetHistoryRequest request,
                          Done<version::v1::GetHistoryResponse> done) = 0;
  virtual void Diff(size_t replica, version::v1::DiffRequest request,
                    Done<version::v1::DiffResponse> done) = 0;
};

}  // namespace bdcsync::gateway
