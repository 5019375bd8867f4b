// A service and callers for tests of calls, which keep calls as long as a test wants.
#pragma once

#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/rpc/ongoing_call.h"
#include "libs/rpc/unary.h"

namespace bdcsync::rpc {

using event_store::v1::EventStoreService;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using Reactor = grpc::ServerUnaryReactor;

constexpr auto kReadHeads = [](auto& end, auto... call) {
  return end.ReadHeads(std::move(call)...);
};

class FakeService final : public EventStoreService::CallbackService {
 public:
  using Handler = std::function<Reactor*(grpc::CallbackServerContext*, const ReadHeadsRequest*,
                                         ReadHeadsResponse*)>;
  Handler handler = [](grpc::CallbackServerContext* context, auto...) {
    return FinishNow(context, absl::OkStatus());
  };

  Reactor* ReadHeads(grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                     ReadHeadsResponse* response) override {
    return handler(context, request, response);
  }
};

// Keeps calls until it is told to answer them.
class Shelf {
 public:
  FakeService::Handler handler() {
    return [this](grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                  ReadHeadsResponse* response) {
      absl::MutexLock lock(&mutex_);
      calls_.push_back({context->DefaultReactor(), request, response});
      return calls_.back().reactor;
    };
  }
  // Answers all calls there are, in the order of their arrival, with as many heads as were asked.
  void AnswerAll() {
    std::vector<Call> calls;
    {
      absl::MutexLock lock(&mutex_);
      calls.swap(calls_);
    }
    for (const Call& call : calls) {
      for (int i = 0; i < call.request->streams_size(); ++i) call.response->add_heads();
      FinishWith(call.reactor, absl::OkStatus());
    }
  }
  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return calls_.size();
  }

 private:
  struct Call {
    Reactor* reactor;
    const ReadHeadsRequest* request;
    ReadHeadsResponse* response;
  };
  mutable absl::Mutex mutex_;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
};

// Gives up all calls when told to; knows which have not ended.
class Tracker final : public CallTracker {
 public:
  bool Begin(OngoingCall& call) override {
    absl::MutexLock lock(&mutex_);
    if (!refuses_) calls_.push_back(&call);
    return !refuses_;
  }
  void End(OngoingCall& call) override {
    absl::MutexLock lock(&mutex_);
    std::erase(calls_, &call);
  }
  void Refuse() {
    absl::MutexLock lock(&mutex_);
    refuses_ = true;
  }
  void CancelAll() {
    absl::MutexLock lock(&mutex_);
    for (OngoingCall* call : calls_) call->TryCancel();
  }
  void AwaitNone() {
    absl::MutexLock lock(&mutex_);
    const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
    mutex_.Await(absl::Condition(&none));
  }

 private:
  absl::Mutex mutex_;
  bool refuses_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<OngoingCall*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
