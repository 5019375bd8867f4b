// Counts, times and logs every call that a server answers. At `debug` every call is logged
// with its request id, at other levels those that failed by our fault. A call that came without an
// id gets one here, and its caller is told. Thread-safe.
#pragma once

#include <grpcpp/support/server_interceptor.h>
#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"

namespace bdcsync::rpc {

inline constexpr metrics::MetricInfo kRequestsTotal{
    "bdcsync_grpc_requests_total", "gRPC calls answered, by method and status code."};
inline constexpr metrics::MetricInfo kRequestSeconds{
    "bdcsync_grpc_request_seconds", "Time from a gRPC call's arrival to its answer, by method."};

inline constexpr metrics::MetricInfo kCallsInFlight{
    "bdcsync_grpc_in_flight_calls", "gRPC calls that have arrived and are not finished."};

inline constexpr metrics::MetricInfo kStreamsOpen{
    "bdcsync_grpc_streams", "Connections of other services that carry calls without gRPC."};

inline constexpr metrics::MetricInfo kSilentConnections{
    "bdcsync_grpc_silent_connections",
    "Connections to the gRPC port that have not said yet what they are."};

// Failures by our fault are logged once in this time, with how many were held back.
inline constexpr absl::Duration kFailureInterval = absl::Seconds(1);

// What one method has counted.
class MethodMetrics {
 public:
  MethodMetrics(metrics::Registry& registry, std::string method);
  void Answered(int code, absl::Duration took);
  const std::string& method() const { return method_; }

 private:
  static constexpr int kCodes = 17;  // OK to UNAUTHENTICATED.

  metrics::Registry& registry_;
  const std::string method_;
  metrics::Histogram& seconds_;
  std::array<std::atomic<metrics::Counter*>, kCodes> requests_{};
};

// How many calls a server has not finished. Thread-safe.
class CallsInFlight {
 public:
  // `now` by the monotonic time of a clock.
  void Begin(absl::Duration now);
  void End();
  int count() const;
  // Waits until there is none, or until `deadline`.
  void AwaitNone(absl::Time deadline) const;
  // Waits until there is none and none has begun for `lull`, or until `deadline`.
  void AwaitLull(const Clock& clock, absl::Duration lull, absl::Time deadline) const;

 private:
  mutable absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration last_begun_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

// What one server counts and logs of all its calls.
class CallMetrics {
 public:
  // `registry` and `clock` are borrowed.
  CallMetrics(metrics::Registry& registry, const Clock& clock, const log::Logger& logger)
      : registry_(registry), clock_(clock), logger_(logger), failures_(clock, kFailureInterval) {}

  // By the address of the name, which must stay what it is.
  MethodMetrics& Find(const char* method);
  absl::Duration Now() const { return clock_.Monotonic(); }
  // A call of `method` that arrived at `started` was answered with `status`.
  void Answered(MethodMetrics& method, absl::Duration started, const std::string& request_id,
                const grpc::Status& status);

 private:
  metrics::Registry& registry_;
  const Clock& clock_;
  const log::Logger logger_;
  log::Throttle failures_;
  absl::Mutex mutex_;
  absl::flat_hash_map<const char*, std::unique_ptr<MethodMetrics>> methods_ ABSL_GUARDED_BY(mutex_);
};

class ServerMetricsFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // All are borrowed and must outlive the server. `random` makes ids of requests.
  ServerMetricsFactory(CallMetrics& metrics, CallsInFlight& in_flight, Random& random)
      : metrics_(metrics), in_flight_(in_flight), random_(random) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  CallMetrics& metrics_;
  CallsInFlight& in_flight_;
  Random& random_;
};

}  // namespace bdcsync::rpc
