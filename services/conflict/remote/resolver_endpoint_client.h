// A resolver over gRPC. Thread-safe.
#pragma once

#include <memory>

#include "services/conflict/remote/resolver_endpoint.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::conflict {

class ResolverEndpointClient final : public ResolverEndpoint {
 public:
  explicit ResolverEndpointClient(std::shared_ptr<grpc::Channel> channel);
  ~ResolverEndpointClient() override;

  void Resolve(resolver::v1::ResolveRequest request, absl::Duration timeout,
               Callback callback) override;

 private:
  struct Client;
  const std::unique_ptr<Client> client_;
};

}  // namespace bdcsync::conflict
