// Who decides when two changes meet: a port onto the conflict service. Calls never block; the
// callback runs exactly once, on any thread, perhaps before the call returns. Thread-safe.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::version {

class Resolver {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<conflict::v1::ResolveResponse>)>;

  virtual ~Resolver() = default;
  // One result per item, in order. A failed call decided nothing: try again.
  virtual void Resolve(conflict::v1::ResolveRequest request, Callback callback) = 0;
};

}  // namespace bdcsync::version
