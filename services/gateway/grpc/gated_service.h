// Who may make a gRPC call of the gateway at all: a valid token, whose device was not revoked.
// Includes grpcpp: for .cc files of adapters. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/rpc/unary.h"
#include "services/gateway/grpc/grpc_caller.h"
#include "services/gateway/pipeline/device_standing.h"
#include "services/gateway/session/session_directory.h"

namespace bdcsync::gateway {

// Everything is borrowed until no call is in flight.
struct CallGate {
  const TokenVerifier& tokens;
  DeviceStanding& standing;
  AccessListener& access;
  // Without a token, callers may name themselves in `x-user-id` metadata: development only.
  bool require_authentication = true;
};

// What a service answers from, once the gateway has started and until it stops.
template <typename Dependencies>
class Served {
 public:
  void Begin(const Dependencies* dependencies) { dependencies_.store(dependencies); }
  void Stop() { stopping_.store(true); }
  // UNAVAILABLE: not yet, or not any more; nothing was done.
  absl::StatusOr<const Dependencies*> Get() const {
    if (stopping_.load()) {
      return MakeError(Reason::kUnavailable, "the gateway is stopping: call again");
    }
    const Dependencies* const dependencies = dependencies_.load();
    if (dependencies == nullptr) {
      return MakeError(Reason::kUnavailable, "the gateway is starting");
    }
    return dependencies;
  }

 private:
  std::atomic<const Dependencies*> dependencies_{nullptr};
  std::atomic<bool> stopping_{false};
};

// Authenticates and checks the caller's device, then runs `handle(caller, done)`, which must run
// done(status) once.
template <typename Handle>
grpc::ServerUnaryReactor* PassGate(grpc::CallbackServerContext* context, const CallGate& gate,
                                   Handle handle) {
  absl::StatusOr<std::shared_ptr<const Caller>> caller =
      CallerOf(*context, gate.tokens, gate.require_authentication);
  if (!caller.ok()) return rpc::FinishNow(context, caller.status());
  const CallTrace trace = rpc::TraceOf(*context);
  const CallScope scope(trace);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto done = [reactor](const absl::Status& status) { rpc::FinishWith(reactor, status); };
  if ((*caller)->device_id.empty()) {
    handle(*std::move(caller), done);
    return reactor;
  }
  const Caller& device = **caller;
  gate.standing.Check(device.user_id, device.device_id,
                      [&access = gate.access, trace, handle = std::move(handle),
                       caller = *std::move(caller), done](const absl::Status& allowed) mutable {
                        if (!allowed.ok()) return done(allowed);
                        access.OnAccess(caller);
                        const CallScope within(trace);
                        handle(std::move(caller), done);
                      });
  return reactor;
}

// Runs `done` with the status of an answer whose value goes into `response`.
template <typename Response, typename Done>
auto FillFrom(Response* response, Done done) {
  return [response, done = std::move(done)](absl::StatusOr<Response> answer) mutable {
    if (answer.ok()) *response = std::move(*answer);
    done(answer.status());
  };
}

}  // namespace bdcsync::gateway
