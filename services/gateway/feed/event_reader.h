// What the gateway needs of the event-store: pages of a space, the heads of many spaces, and those
// of many streams.
// Thread-safe; callbacks run exactly once, on any thread, and must not block. A call that finds no
// server fails with UNAVAILABLE or DEADLINE_EXCEEDED: the same read may succeed later.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/event_store/v1/event_store.pb.h"

namespace bdcsync::gateway {

class EventReader {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~EventReader() = default;
  virtual void ReadSpace(event_store::v1::ReadSpaceRequest request,
                         Done<event_store::v1::ReadSpaceResponse> done) = 0;
  virtual void ReadHeads(event_store::v1::ReadHeadsRequest request,
                         Done<event_store::v1::ReadHeadsResponse> done) = 0;
  virtual void GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                             Done<event_store::v1::GetSpaceHeadsResponse> done) = 0;
};

}  // namespace bdcsync::gateway
