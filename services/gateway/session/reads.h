// Reads of entities and their history, checked against what the caller may see: what they may not
// see is NOT_FOUND. Thread-safe; callbacks run exactly once, on any thread, also within the call.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class EntityReads {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~EntityReads() = default;
  // An empty space means the caller's own, an empty branch "main". A failure to find the entity is
  // a status, not an `error` inside the answer.
  virtual void GetEntity(std::shared_ptr<const Caller> caller, sync::v1::GetEntityRequest request,
                         Done<sync::v1::GetEntityResponse> done) = 0;
  virtual void ListEntities(std::shared_ptr<const Caller> caller,
                            sync::v1::ListEntitiesRequest request,
                            Done<sync::v1::ListEntitiesResponse> done) = 0;
  virtual void GetHistory(std::shared_ptr<const Caller> caller, sync::v1::GetHistoryRequest request,
                          Done<sync::v1::GetHistoryResponse> done) = 0;
  virtual void Diff(std::shared_ptr<const Caller> caller, sync::v1::DiffRequest request,
                    Done<sync::v1::DiffResponse> done) = 0;
};

}  // namespace bdcsync::gateway
