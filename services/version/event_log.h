// The log as this service uses it: a port, so that the domain knows no network. Calls never block;
// each callback runs exactly once, on any thread, perhaps before the call returns. Thread-safe.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/event_store/v1/event_store.pb.h"

namespace bdcsync::version {

class EventLog {
 public:
  template <typename Answer>
  using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  virtual ~EventLog() = default;
  // Every failure of a call means that nothing is known of any item: ask again with the same
  // op_ids. What became of an item when the call succeeds is said in its result
  // (event_store.proto).
  virtual void Append(event_store::v1::AppendRequest request,
                      Callback<event_store::v1::AppendResponse> callback) = 0;
  // Reads fail with UNAVAILABLE when the log cannot be reached: try again.
  virtual void ReadHeads(event_store::v1::ReadHeadsRequest request,
                         Callback<event_store::v1::ReadHeadsResponse> callback) = 0;
  virtual void ReadStream(event_store::v1::ReadStreamRequest request,
                          Callback<event_store::v1::ReadStreamResponse> callback) = 0;
  virtual void GetOperations(event_store::v1::GetOperationsRequest request,
                             Callback<event_store::v1::GetOperationsResponse> callback) = 0;
};

}  // namespace bdcsync::version
