// One resolver's address: a port onto bdcsync.resolver.v1. Calls never block; thread-safe.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/resolver/v1/resolver.pb.h"

namespace bdcsync::conflict {

class ResolverEndpoint {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<resolver::v1::ResolveResponse>)>;

  virtual ~ResolverEndpoint() = default;
  // `callback` runs exactly once, on any thread, perhaps before this returns, and not much later
  // than after `timeout`.
  //   UNAVAILABLE         it cannot be reached.
  //   DEADLINE_EXCEEDED   it took too long.
  //   RESOURCE_EXHAUSTED  its response is larger than a message may be.
  virtual void Resolve(resolver::v1::ResolveRequest request, absl::Duration timeout,
                       Callback callback) = 0;
};

}  // namespace bdcsync::conflict
