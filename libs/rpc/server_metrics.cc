#include "libs/rpc/server_metrics.h"

#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <map>
#include <utility>

#include "libs/rpc/deadline.h"

namespace bdcsync::rpc {
namespace {

constexpr std::array kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

bool IsOurFault(int code) {
  return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::UNKNOWN ||
         code == grpc::StatusCode::DATA_LOSS;
}

class Interceptor final : public grpc::experimental::Interceptor {
 public:
  Interceptor(MethodMetrics& method, const Clock& clock, CallsInFlight& in_flight,
              const log::Logger& logger, log::Throttle& failures)
      : method_(method),
        clock_(clock),
        in_flight_(in_flight),
        logger_(logger),
        failures_(failures),
        started_(clock.Monotonic()) {
    in_flight_.Begin();
  }
  // gRPC deletes it when nothing of the call is left.
  ~Interceptor() override { in_flight_.End(); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      TakeRequestId(*methods->GetRecvInitialMetadata());
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const grpc::Status status = methods->GetSendStatus();
      const absl::Duration took = clock_.Monotonic() - started_;
      method_.Answered(status.error_code(), took);
      if (logger_.Enabled(log::Level::kDebug)) {
        LogAnswered(log::Level::kDebug, status, took, 0);
      } else if (IsOurFault(status.error_code())) {
        const auto held_back = failures_.Allow();
        if (held_back.has_value()) LogAnswered(log::Level::kError, status, took, *held_back);
      }
    }
    methods->Proceed();
  }

 private:
  void TakeRequestId(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
    const auto found =
        metadata.find(grpc::string_ref(kRequestIdMetadata.data(), kRequestIdMetadata.size()));
    if (found == metadata.end()) return;
    request_id_ = CleanRequestId(absl::string_view(found->second.data(), found->second.size()));
  }

  void LogAnswered(log::Level level, const grpc::Status& status, absl::Duration took,
                   int64_t held_back) const {
    logger_.Log(level, "call answered",
                {{"request_id", request_id_},
                 {"method", method_.method()},
                 {"code", kCodeNames[std::min<size_t>(status.error_code(), kCodeNames.size() - 1)]},
                 {"error", status.error_message()},
                 {"seconds", absl::ToDoubleSeconds(took)},
                 {"suppressed", held_back}});
  }

  MethodMetrics& method_;
  const Clock& clock_;
  CallsInFlight& in_flight_;
  const log::Logger& logger_;
  log::Throttle& failures_;
  const absl::Duration started_;
  std::string request_id_;
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
  // gRPC deletes it.
  return new Interceptor(Find(info->method()), clock_, in_flight_, logger_, failures_);
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
