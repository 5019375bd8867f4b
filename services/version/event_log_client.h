// The log over gRPC. A call goes to the replica that the space it names first is routed to; when
// that one cannot be reached, to the next, since every operation carries its op_id. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/version/event_log.h"

namespace bdcsync::version {

class EventLogClient final : public EventLog {
 public:
  // At least one peer, one for each replica. `timeout` is of one attempt.
  EventLogClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~EventLogClient() override;

  void Append(event_store::v1::AppendRequest request,
              Callback<event_store::v1::AppendResponse> callback) override;
  void ReadHeads(event_store::v1::ReadHeadsRequest request,
                 Callback<event_store::v1::ReadHeadsResponse> callback) override;
  void ReadStream(event_store::v1::ReadStreamRequest request,
                  Callback<event_store::v1::ReadStreamResponse> callback) override;
  void GetOperations(event_store::v1::GetOperationsRequest request,
                     Callback<event_store::v1::GetOperationsResponse> callback) override;
  // Whether the log answers; for readiness.
  void Ping(absl::AnyInvocable<void(absl::Status)> answer);

 private:
  struct Replicas;
  const std::unique_ptr<Replicas> replicas_;
};

}  // namespace bdcsync::version
