// Lets methods of a service be called on streams as well (call_streams.h), all that are not streams
// of gRPC's themselves:
//   rpc::ServeOnStreams<v1::EventStoreService>(server, &GrpcAdapter::Append, …);
// Includes grpcpp: for adapters' .cc files only. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/arena_messages.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/stream_frame.h"
#include "libs/rpc/stream_server.h"

namespace bdcsync::rpc {

template <typename Service, typename Adapter, typename Request, typename Response>
class StreamedMethodOf final : public StreamedMethod {
 public:
  using Method = grpc::ServerUnaryReactor* (Adapter::*)(grpc::CallbackServerContext*,
                                                        const Request*, Response*);

  StreamedMethodOf(std::shared_ptr<DirectServer> server, Method method)
      : name_(MethodName(Service::service_full_name(), Request::descriptor())),
        method_(method),
        client_(Peer{.channel = nullptr, .direct = std::move(server)}) {}

  const std::string& name() const override { return name_; }
  void Call(CallFrame call, Answered answered) override {
    auto arena = std::make_shared<google::protobuf::Arena>(ArenaOptionsOfCall());
    auto* const request = google::protobuf::Arena::CreateMessage<Request>(arena.get());
    if (!ParseMessage(call.request, *request)) {
      answered(EncodeError(MakeError(Reason::kBadMessage, "the request cannot be read")));
      return;
    }
    client_.StartHere(
        [method = method_](auto& end, auto... arguments) {
          return (static_cast<Adapter&>(end).*method)(arguments...);
        },
        std::move(call.trace), std::shared_ptr<const Request>(std::move(arena), request),
        Done<Response>([answered = std::move(answered)](absl::StatusOr<Response> response) mutable {
          answered(response.ok() ? EncodeAnswer(*response) : EncodeError(response.status()));
        }));
  }

 private:
  const std::string name_;
  const Method method_;
  const Client<Service> client_;
};

// After `Adapter`, which is the service, was added to `server`.
template <typename Service, typename Adapter, typename... Requests, typename... Responses>
void ServeOnStreams(Server& server,
                    grpc::ServerUnaryReactor* (Adapter::*... methods)(grpc::CallbackServerContext*,
                                                                      const Requests*,
                                                                      Responses*)) {
  (server.AddStreamed(std::make_unique<StreamedMethodOf<Service, Adapter, Requests, Responses>>(
       server.direct(), methods)),
   ...);
}

}  // namespace bdcsync::rpc
