// ConflictService over gRPC: translates calls and decides nothing. Thread-safe.
#pragma once

#include <atomic>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "services/conflict/decider.h"
#include "services/conflict/recorder.h"

namespace bdcsync::conflict {

class GrpcAdapter final : public v1::ConflictService::CallbackService {
 public:
  struct Domain {
    Decider& decider;
    Recorder& recorder;
  };

  // From now on calls reach `domain`, which must outlive the last of them; UNAVAILABLE before.
  void Serve(Domain& domain) { domain_.store(&domain); }

  grpc::ServerUnaryReactor* Resolve(grpc::CallbackServerContext* context,
                                    const v1::ResolveRequest* request,
                                    v1::ResolveResponse* response) override;
  grpc::ServerUnaryReactor* ListResolutions(grpc::CallbackServerContext* context,
                                            const v1::ListResolutionsRequest* request,
                                            v1::ListResolutionsResponse* response) override;

 private:
  std::atomic<Domain*> domain_{nullptr};
};

}  // namespace bdcsync::conflict
