#include "libs/rpc/server_metrics.h"

#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/rpc/deadline.h"

namespace bdcsync::rpc {
namespace {

constexpr std::array kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

constexpr int kCallIdDigits = 10;  // With the prefix, what a std::string holds without allocating.
// gRPC's own; it lasts as long as its caller likes.
constexpr absl::string_view kHealthWatch = "/grpc.health.v1.Health/Watch";

bool IsOurFault(int code) {
  return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::UNKNOWN ||
         code == grpc::StatusCode::DATA_LOSS;
}

class Interceptor final : public grpc::experimental::Interceptor {
 public:
  Interceptor(CallMetrics& metrics, MethodMetrics& method, CallsInFlight& in_flight, Random& random)
      : metrics_(metrics),
        method_(method),
        in_flight_(in_flight),
        random_(random),
        started_(metrics.Now()) {
    in_flight_.Begin(started_);
  }
  // gRPC deletes it when nothing of the call is left.
  ~Interceptor() override { in_flight_.End(); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      TakeRequestId(*methods->GetRecvInitialMetadata());
    }
    if (made_ &&
        methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace(kRequestIdMetadata, request_id_);
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      metrics_.Answered(method_, started_, request_id_, methods->GetSendStatus());
    }
    methods->Proceed();
  }

 private:
  // Makes an id when there is none, where the service looks for it: as if it had been sent.
  void TakeRequestId(std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
    const grpc::string_ref key(kRequestIdMetadata.data(), kRequestIdMetadata.size());
    const auto found = metadata.find(key);
    if (found != metadata.end()) {
      request_id_ = CleanRequestId(absl::string_view(found->second.data(), found->second.size()));
      if (!request_id_.empty()) return;
      metadata.erase(key);
    }
    request_id_ = absl::StrCat("call-", Hex64(random_.Bits64()).substr(0, kCallIdDigits));
    made_ = true;
    metadata.emplace(key, grpc::string_ref(request_id_.data(), request_id_.size()));
  }

  CallMetrics& metrics_;
  MethodMetrics& method_;
  CallsInFlight& in_flight_;
  Random& random_;
  const absl::Duration started_;
  std::string request_id_;  // Lent to the metadata of the call.
  bool made_ = false;       // Here: the caller does not know it.
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

void CallsInFlight::Begin(absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  ++count_;
  last_begun_ = std::max(last_begun_, now);
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

void CallsInFlight::AwaitLull(const Clock& clock, absl::Duration lull, absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ == 0; };
  const auto never = [] { return false; };
  while (mutex_.AwaitWithDeadline(absl::Condition(&none), deadline)) {
    const absl::Duration left = last_begun_ + lull - clock.Monotonic();
    if (left <= absl::ZeroDuration() || clock.Now() >= deadline) return;
    (void)mutex_.AwaitWithDeadline(absl::Condition(&never), std::min(clock.Now() + left, deadline));
  }
}

MethodMetrics& CallMetrics::Find(const char* method) {
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

void CallMetrics::Answered(MethodMetrics& method, absl::Duration started,
                           const std::string& request_id, const grpc::Status& status) {
  const absl::Duration took = clock_.Monotonic() - started;
  method.Answered(status.error_code(), took);
  log::Level level = log::Level::kDebug;
  int64_t suppressed = 0;
  if (!logger_.Enabled(level)) {
    if (!IsOurFault(status.error_code())) return;
    const auto held_back = failures_.Allow();
    if (!held_back.has_value()) return;
    level = log::Level::kError;
    suppressed = *held_back;
  }
  logger_.Log(level, "call answered",
              {{"request_id", request_id},
               {"method", method.method()},
               {"code", kCodeNames[std::min<size_t>(status.error_code(), kCodeNames.size() - 1)]},
               {"error", status.error_message()},
               {"seconds", absl::ToDoubleSeconds(took)},
               {"suppressed", suppressed}});
}

grpc::experimental::Interceptor* ServerMetricsFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  // The calls on a stream are counted instead of the stream (stream_server.h).
  if (info->type() == grpc::experimental::ServerRpcInfo::Type::BIDI_STREAMING) return nullptr;
  if (info->type() == grpc::experimental::ServerRpcInfo::Type::SERVER_STREAMING &&
      info->method() == kHealthWatch) {
    return nullptr;
  }
  // gRPC deletes it.
  return new Interceptor(metrics_, metrics_.Find(info->method()), in_flight_, random_);
}

}  // namespace bdcsync::rpc
