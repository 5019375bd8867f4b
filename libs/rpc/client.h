// Calls of one service at one peer, through gRPC's callback API or, within the process, without it.
// Who calls names a method once, for both ends:
//   constexpr auto kAppend = [](auto& end, auto... call) { return end.Append(std::move(call)...);
//   }; client.Start(kAppend, std::move(request), options, std::move(done));
// Includes grpcpp: for adapters' .cc files only. Thread-safe.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/call_streams.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/direct_server.h"
#include "libs/rpc/ongoing_call.h"
#include "libs/rpc/peer.h"
#include "libs/rpc/status.h"
#include "libs/rpc/stream_frame.h"
#include "libs/rpc/streamed_call.h"

namespace bdcsync::rpc {

template <typename Response>
using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

// "/package.Service/Method" of the one method of `service` that takes `request`.
std::string MethodName(const char* service, const google::protobuf::Descriptor* request);

template <typename Service>
class Client {
 public:
  explicit Client(const Peer& peer) : direct_(peer.direct) {
    if (direct_ != nullptr) service_ = direct_->Find<typename Service::CallbackService>();
    if (peer.channel == nullptr) return;  // Of a service that is here.
    stub_ = Service::NewStub(peer.channel);
    if (service_ == nullptr && peer.streams.has_value()) {
      streams_ = std::make_unique<CallStreams>(*peer.streams);
    }
  }

  // Starts a call and returns at once. `request` is a message, or a shared_ptr to one that nobody
  // changes any more: the service may read it after a call that was not answered in time. `done`
  // runs exactly once, on any thread but not on this stack, within the CallScope of the thread that
  // called, and must not block. `tracker` is told of the call when it is not null; with it, `done`
  // may run on this stack with CANCELLED. The client is borrowed until then.
  template <typename Method, typename Held, typename Response>
  void Start(Method method, Held request, const CallOptions& options, Done<Response> done,
             CallTracker* tracker = nullptr) const {
    if (service_ != nullptr) {
      Launch(std::make_shared<Direct<Method, Held, Response>>(*this, method, TraceToSend(options),
                                                              options.may_take_long,
                                                              std::move(request), std::move(done)),
             tracker);
    } else if (streams_ != nullptr && !options.wait_for_ready) {
      Launch(std::make_shared<Streamed<Method, Held, Response>>(
                 *this, method, options, std::move(request), std::move(done)),
             tracker);
    } else {
      Launch(std::make_shared<Remote<Method, Held, Response>>(*this, method, options,
                                                              std::move(request), std::move(done)),
             tracker);
    }
  }

  // The same for a call that came from elsewhere with `trace`, to a service that is here, on this
  // thread, which is one of gRPC's.
  template <typename Method, typename Held, typename Response>
  void StartHere(Method method, CallTrace trace, Held request, Done<Response> done) const {
    std::make_shared<Direct<Method, Held, Response>>(*this, method, std::move(trace), false,
                                                     std::move(request), std::move(done))
        ->StartHere();
  }

  // For everything else, e.g. streams.
  typename Service::Stub& stub() const { return *stub_; }

 private:
  template <typename Request>
  static const Request& MessageOf(const Request& request) {
    return request;
  }
  template <typename Request>
  static const Request& MessageOf(const std::shared_ptr<const Request>& request) {
    return *request;
  }
  template <typename Held>
  using MessageIn = std::remove_cvref_t<decltype(MessageOf(std::declval<const Held&>()))>;

  template <typename Request>
  static const std::string& NameOf() {
    static const std::string* const name =
        new std::string(MethodName(Service::service_full_name(), Request::descriptor()));
    return *name;  // For ever the same, as metrics need it.
  }

  template <typename Call>
  static void Launch(std::shared_ptr<Call> call, CallTracker* tracker) {
    call->set_tracker(tracker);
    if (tracker == nullptr || tracker->Begin(*call)) {
      call->Start();
    } else {
      call->Refuse();
    }
  }

  // What both kinds of calls end with.
  template <typename Response>
  class Outcome {
   public:
    explicit Outcome(Done<Response> done) : done_(std::move(done)) {}
    void set_tracker(CallTracker* tracker) { tracker_ = tracker; }
    void Refuse() { done_(absl::CancelledError("the caller is stopping")); }

   protected:
    void End(OngoingCall& call, absl::Status status, Response& response) {
      if (status.ok()) {
        done_(std::move(response));
      } else {
        done_(std::move(status));
      }
      done_ = nullptr;  // Before the call counts as ended.
      if (tracker_ != nullptr) tracker_->End(call);
    }

   private:
    Done<Response> done_;
    CallTracker* tracker_ = nullptr;
  };

  template <typename Method, typename Held, typename Response>
  class Direct final : public DirectCall, public Outcome<Response> {
   public:
    Direct(const Client& client, Method method, CallTrace trace, bool may_take_long, Held request,
           Done<Response> done)
        : DirectCall(client.direct_, NameOf<MessageIn<Held>>().c_str(), std::move(trace),
                     CallScope::Current(), may_take_long),
          Outcome<Response>(std::move(done)),
          service_(*client.service_),
          method_(method),
          request_(std::move(request)) {}

   private:
    grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext& context) override {
      return method_(service_, &context, &MessageOf(request_), &response_);
    }
    void Answer(absl::Status status) override { this->End(*this, std::move(status), response_); }
    std::size_t RequestBytes() const override { return MessageOf(request_).ByteSizeLong(); }

    typename Service::CallbackService& service_;
    const Method method_;
    const Held request_;
    Response response_;
  };

  template <typename Method, typename Held, typename Response>
  class Streamed final : public StreamedCall, public Outcome<Response> {
   public:
    Streamed(const Client& client, Method method, const CallOptions& options, Held request,
             Done<Response> done)
        : StreamedCall(*client.streams_, NameOf<MessageIn<Held>>(), TraceToSend(options),
                       CallScope::Current()),
          Outcome<Response>(std::move(done)),
          client_(client),
          method_(method),
          request_(std::move(request)) {}

   private:
    Frame Encode(const CallTrace& trace) const override {
      return EncodeCall(trace, MessageOf(request_));
    }
    bool Parse(absl::string_view answer) override { return ParseMessage(answer, response_); }
    std::shared_ptr<OngoingCall> StartPlain(const CallTrace& trace,
                                            std::function<void(absl::Status)> ended) override {
      const CallScope scope(trace);  // Which says what time is left.
      auto call = std::make_shared<Remote<Method, Held, Response>>(
          client_, method_, CallOptions{.timeout = absl::InfiniteDuration()}, request_,
          Done<Response>([this, ended = std::move(ended)](absl::StatusOr<Response> response) {
            if (response.ok()) response_ = std::move(*response);
            ended(response.status());
          }));
      call->Start();
      return call;
    }
    void Answer(absl::Status status) override { this->End(*this, std::move(status), response_); }

    const Client& client_;
    const Method method_;
    const Held request_;
    Response response_;
  };

  template <typename Method, typename Held, typename Response>
  class Remote final : public OngoingCall,
                       public Outcome<Response>,
                       public std::enable_shared_from_this<Remote<Method, Held, Response>> {
   public:
    Remote(const Client& client, Method method, const CallOptions& options, Held request,
           Done<Response> done)
        : Outcome<Response>(std::move(done)),
          stub_(*client.stub_),
          method_(method),
          request_(std::move(request)),
          caller_(CallScope::Current()) {
      PrepareCall(context_, options);
    }
    void Start() {
      // Shared because std::function must be copyable; freed when gRPC drops the callback.
      std::function<void(grpc::Status)> ended =
          [self = this->shared_from_this()](const grpc::Status& status) {
            const CallScope scope(std::move(self->caller_));
            self->End(*self, FromGrpc(status), self->response_);
          };
      method_(*static_cast<typename Service::StubInterface::async_interface*>(stub_.async()),
              &context_, &MessageOf(request_), &response_, std::move(ended));
    }
    void TryCancel() override { context_.TryCancel(); }

   private:
    typename Service::Stub& stub_;
    const Method method_;
    grpc::ClientContext context_;
    const Held request_;
    Response response_;
    CallTrace caller_;
  };

  std::unique_ptr<typename Service::Stub> stub_;
  std::unique_ptr<CallStreams> streams_;  // Null: not called on streams.
  std::shared_ptr<DirectServer> direct_;
  typename Service::CallbackService* service_ = nullptr;  // Not null: the service is here.
};

}  // namespace bdcsync::rpc
