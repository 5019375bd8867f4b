#include "libs/rpc/direct_server.h"

#include <grpcpp/alarm.h>

#include <functional>

#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/server_metrics.h"
#include "libs/rpc/status.h"

namespace bdcsync::rpc {
namespace {

// As a service would see it behind a channel.
CallTrace Cleaned(CallTrace trace) {
  trace.request_id = CleanRequestId(trace.request_id);
  return trace;
}

// Handlers of calls, and of answers, that this thread is within.
thread_local int handlers_on_stack = 0;
thread_local int answers_on_stack = 0;

// On a thread of gRPC's, like the answers of all other calls.
void RunElsewhere(std::function<void()> task) {
  auto* const alarm = new grpc::Alarm;  // Deleted by what it runs.
  // A moment that is not long past would be rounded up to the next millisecond.
  alarm->Set(gpr_inf_past(GPR_CLOCK_MONOTONIC), [alarm, task = std::move(task)](bool) {
    task();
    delete alarm;
  });
}

}  // namespace

DirectServer::DirectServer(CallMetrics& metrics) : metrics_(metrics) {}
DirectServer::~DirectServer() = default;

int DirectServer::in_flight() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(calls_.size());
}

void DirectServer::AwaitNone(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
  mutex_.AwaitWithDeadline(absl::Condition(&none), deadline);
}

bool DirectServer::Begin(std::shared_ptr<DirectCall> call) {
  absl::MutexLock lock(&mutex_);
  if (closed()) return false;
  const absl::Duration expires = call->expires_;
  DirectCall* const key = call.get();
  calls_.emplace(std::make_pair(expires, key), std::move(call));
  if (expires < wakes_at_) WakeAt(expires);
  return true;
}

std::shared_ptr<DirectCall> DirectServer::End(DirectCall& call) {
  absl::MutexLock lock(&mutex_);
  const auto found = calls_.find({call.expires_, &call});
  std::shared_ptr<DirectCall> held = std::move(found->second);
  calls_.erase(found);
  return held;
}

void DirectServer::WakeAt(absl::Duration moment) {
  wakes_at_ = moment;
  const absl::Duration left = moment - SystemClock().Monotonic();
  alarm_ = std::make_unique<grpc::Alarm>();  // The one before is told that it rings in vain.
  alarm_->Set(DeadlineAfter(left), [weak = weak_from_this()](bool rings) {
    if (!rings) return;
    if (const auto server = weak.lock()) server->Expire();
  });
}

void DirectServer::Expire() {
  std::vector<std::shared_ptr<DirectCall>> late;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = SystemClock().Monotonic();
    while (!calls_.empty() && calls_.begin()->first.first <= now) {
      auto call = calls_.extract(calls_.begin());
      call.mapped()->expires_ = absl::InfiniteDuration();
      late.push_back(call.mapped());
      call.key().first = absl::InfiniteDuration();
      calls_.insert(std::move(call));
    }
    wakes_at_ = absl::InfiniteDuration();
    if (!calls_.empty() && calls_.begin()->first.first != absl::InfiniteDuration()) {
      WakeAt(calls_.begin()->first.first);
    }
  }
  for (const std::shared_ptr<DirectCall>& call : late) {
    if (call->TakeAnswer()) {
      call->Deliver(MakeError(Reason::kDeadlineExceeded, "the deadline has passed"));
    }
  }
}

void DirectServer::Close() {
  std::vector<std::shared_ptr<DirectCall>> left;
  {
    absl::MutexLock lock(&mutex_);
    closed_.store(true, std::memory_order_release);
    for (const auto& [key, call] : calls_) left.push_back(call);
  }
  for (const std::shared_ptr<DirectCall>& call : left) {
    if (call->TakeAnswer()) call->Deliver(MakeError(Reason::kUnavailable, "the service is gone"));
  }
}

DirectCall::DirectCall(std::shared_ptr<DirectServer> server, const char* method, CallTrace trace,
                       CallTrace caller, bool may_take_long)
    : server_(std::move(server)),
      method_(server_->closed() ? nullptr : &server_->metrics_.Find(method)),
      started_(SystemClock().Monotonic()),
      expires_(trace.not_after),
      context_(Cleaned(std::move(trace))),
      caller_(std::move(caller)),
      may_take_long_(may_take_long) {}

DirectCall::~DirectCall() = default;

void DirectCall::Start() {
  if (!server_->Begin(shared_from_this())) {
    if (TakeAnswer()) DeliverElsewhere(MakeError(Reason::kUnavailable, "the service is gone"));
  } else if (may_take_long_ || answers_on_stack > 0 || RequestBytes() > kInlineBytesMax) {
    RunElsewhere([self = shared_from_this()] { self->Run(); });
  } else {
    Run();
  }
}

void DirectCall::Run() {
  const auto self = shared_from_this();  // The reactor is used after the call may have ended.
  ++handlers_on_stack;
  {
    const CallScope nothing({});  // As on a thread that just received the call.
    grpc::ServerUnaryReactor* const reactor = Handle(context_);
    if (reactor != nullptr) {
      BindReactor(reactor);
    } else {  // What gRPC generates for a method that a service does not have.
      Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""));
    }
  }
  --handlers_on_stack;
  PartEnded();
}

void DirectCall::TryCancel() {
  if (TakeAnswer()) DeliverElsewhere(absl::CancelledError("the call was given up"));
}

void DirectCall::Finish(grpc::Status status) {
  const auto self = shared_from_this();
  if (!server_->closed()) {
    server_->metrics_.Answered(*method_, started_, context_.trace().request_id, status);
  }
  if (TakeAnswer()) {
    // Whoever called a service on this stack does not expect an answer before the call returns.
    if (handlers_on_stack > 0) {
      DeliverElsewhere(FromGrpc(status));
    } else {
      Deliver(FromGrpc(status));
    }
  }
  PartEnded();
}

void DirectCall::Deliver(const absl::Status& status) {
  ++answers_on_stack;
  {
    const CallScope scope(caller_);
    Answer(status);
  }
  --answers_on_stack;
  PartEnded();
}

void DirectCall::DeliverElsewhere(absl::Status status) {
  RunElsewhere([self = shared_from_this(), status = std::move(status)] { self->Deliver(status); });
}

void DirectCall::PartEnded() {
  if (parts_.fetch_sub(1, std::memory_order_acq_rel) == 1) server_->End(*this);
}

}  // namespace bdcsync::rpc
