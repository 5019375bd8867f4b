// Reads of the event-store over gRPC. Spaces are spread over the replicas; a replica that cannot be
// reached is replaced by the next one. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/gateway/feed/event_reader.h"

namespace bdcsync::gateway {

class EventStoreClient final : public EventReader {
 public:
  // One peer per replica, at least one. Every call ends within `timeout`.
  EventStoreClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~EventStoreClient() override;

  void ReadSpace(event_store::v1::ReadSpaceRequest request,
                 Done<event_store::v1::ReadSpaceResponse> done) override;
  void GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                     Done<event_store::v1::GetSpaceHeadsResponse> done) override;

  // Whether the service answers.
  void Ping(absl::AnyInvocable<void(absl::Status)> done);
  // Ends all calls; returns when no callback runs any more.
  void Shutdown();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace bdcsync::gateway
