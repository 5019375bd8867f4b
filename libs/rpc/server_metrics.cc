#include "libs/rpc/server_metrics.h"

#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/status.h>

#include <utility>

namespace bdcsync::rpc {
namespace {

constexpr std::array kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

class Interceptor final : public grpc::experimental::Interceptor {
 public:
  Interceptor(MethodMetrics& method, const Clock& clock, CallsInFlight& in_flight)
      : method_(method), clock_(clock), in_flight_(in_flight), started_(clock.Monotonic()) {
    in_flight_.Begin();
  }
  // gRPC deletes it when nothing of the call is left.
  ~Interceptor() override { in_flight_.End(); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      method_.Answered(methods->GetSendStatus().error_code(), clock_.Monotonic() - started_);
    }
    methods->Proceed();
  }

 private:
  MethodMetrics& method_;
  const Clock& clock_;
  CallsInFlight& in_flight_;
  const absl::Duration started_;
};

}  // namespace

MethodMetrics::MethodMetrics(metrics::Registry& registry, std::string method)
    : registry_(registry),
      method_(std::move(method)),
      seconds_(registry.AddHistogram(kRequestSeconds, metrics::LatencyBuckets(),
                                     {{"method", method_}})) {}

void MethodMetrics::Answered(int code, absl::Duration took) {
  if (code < 0 || code >= kCodes) code = grpc::StatusCode::UNKNOWN;
  metrics::Counter* counter = requests_[code].load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Two threads may come here; the registry gives both the same counter.
    counter =
        &registry_.AddCounter(kRequestsTotal, {{"method", method_}, {"code", kCodeNames[code]}});
    requests_[code].store(counter, std::memory_order_release);
  }
  counter->Add();
  seconds_.Observe(took);
}

void CallsInFlight::Begin() {
  absl::MutexLock lock(&mutex_);
  ++count_;
}

void CallsInFlight::End() {
  absl::MutexLock lock(&mutex_);
  --count_;
}

int CallsInFlight::count() const {
  absl::MutexLock lock(&mutex_);
  return count_;
}

void CallsInFlight::AwaitNone(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ == 0; };
  mutex_.AwaitWithDeadline(absl::Condition(&none), deadline);
}

grpc::experimental::Interceptor* ServerMetricsFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  return new Interceptor(Find(info->method()), clock_, in_flight_);  // gRPC deletes it.
}

MethodMetrics& ServerMetricsFactory::Find(const char* method) {
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto known = methods_.find(method);
    if (known != methods_.end()) return *known->second;
  }
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<MethodMetrics>& metrics = methods_[method];
  if (metrics == nullptr) {
    metrics = std::make_unique<MethodMetrics>(registry_, method == nullptr ? "unknown" : method);
  }
  return *metrics;
}

}  // namespace bdcsync::rpc
