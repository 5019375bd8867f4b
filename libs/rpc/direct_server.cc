#include "libs/rpc/direct_server.h"

#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/rpc/elsewhere.h"
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

}  // namespace

DirectServer::DirectServer(CallMetrics& metrics)
    : metrics_(metrics), calls_(std::make_shared<OpenCalls>()) {}
DirectServer::~DirectServer() = default;

void DirectServer::Close() {
  for (const auto& open : calls_->Close()) {
    auto& call = static_cast<DirectCall&>(*open);
    if (call.TakeAnswer()) call.Deliver(MakeError(Reason::kUnavailable, "the service is gone"));
  }
}

DirectCall::DirectCall(std::shared_ptr<DirectServer> server, const char* method, CallTrace trace,
                       CallTrace caller, bool may_take_long)
    : OpenCalls::Call(trace.not_after),
      server_(std::move(server)),
      method_(server_->calls_->closed() ? nullptr : &server_->metrics_.Find(method)),
      started_(SystemClock().Monotonic()),
      context_(Cleaned(std::move(trace))),
      caller_(std::move(caller)),
      may_take_long_(may_take_long) {}

DirectCall::~DirectCall() = default;

bool DirectCall::Begin() {
  if (server_->calls_->Add(shared_from_this())) return true;
  if (TakeAnswer()) DeliverElsewhere(MakeError(Reason::kUnavailable, "the service is gone"));
  return false;
}

void DirectCall::Start() {
  if (!Begin()) return;
  if (may_take_long_ || answers_on_stack > 0 || RequestBytes() > kInlineBytesMax) {
    RunElsewhere([self = shared_from_this()] { self->Run(); });
  } else {
    Run();
  }
}

void DirectCall::StartHere() {
  if (Begin()) Run();
}

void DirectCall::Expire() {
  if (TakeAnswer()) Deliver(MakeError(Reason::kDeadlineExceeded, "the deadline has passed"));
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
  if (!server_->calls_->closed()) {
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
  if (parts_.fetch_sub(1, std::memory_order_acq_rel) == 1) (void)server_->calls_->Remove(*this);
}

}  // namespace bdcsync::rpc
