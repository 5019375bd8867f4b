// The conflict service over gRPC; replicas take turns, and when one cannot be reached the next is
// asked. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/version/resolver.h"

namespace bdcsync::version {

class ConflictReplicas;

class ResolverClient final : public Resolver {
 public:
  // At least one peer, one for each replica. `timeout` is of one attempt.
  ResolverClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~ResolverClient() override;

  void Resolve(conflict::v1::ResolveRequest request, Callback callback) override;

 private:
  const std::unique_ptr<ConflictReplicas> replicas_;
  const absl::Duration timeout_;
};

}  // namespace bdcsync::version
