// Lets a method of a service be called on streams as well (call_streams.h), in Configure:
//   rpc::ServeOnStreams<v1::EventStoreService, v1::AppendRequest, v1::AppendResponse>(
//       context.server(), [](auto& end, auto... call) { return end.Append(std::move(call)...); });
// Includes grpcpp: for adapters' .cc files only. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/arena_messages.h"
#include "libs/rpc/client.h"
#include "libs/rpc/elsewhere.h"
#include "libs/rpc/server.h"
#include "libs/rpc/stream_server.h"

namespace bdcsync::rpc {

template <typename Service, typename Request, typename Response, typename Method>
class StreamedMethodOf final : public StreamedMethod {
 public:
  StreamedMethodOf(std::shared_ptr<DirectServer> server, Method method)
      : name_(MethodName(Service::service_full_name(), Request::descriptor())),
        method_(method),
        client_(Peer{nullptr, std::move(server)}) {}

  const std::string& name() const override { return name_; }
  void Call(CallFrame call, Answered answered) override {
    auto arena = std::make_shared<google::protobuf::Arena>(ArenaOptionsOfCall());
    auto* const request = google::protobuf::Arena::CreateMessage<Request>(arena.get());
    if (!ParseRequest(call, *request)) {
      RunElsewhere([answered = std::make_shared<Answered>(std::move(answered))] {
        (*answered)(MakeError(Reason::kBadMessage, "the request cannot be read"));
      });
      return;
    }
    client_.StartHere(
        method_, std::move(call.trace), std::shared_ptr<const Request>(std::move(arena), request),
        Done<Response>([answered = std::move(answered)](absl::StatusOr<Response> response) mutable {
          if (response.ok()) {
            answered(EncodeAnswer(*response));
          } else {
            answered(response.status());
          }
        }));
  }

 private:
  const std::string name_;
  const Method method_;
  const Client<Service> client_;
};

// After the service was added to `server`.
template <typename Service, typename Request, typename Response, typename Method>
void ServeOnStreams(Server& server, Method method) {
  server.AddStreamed(std::make_unique<StreamedMethodOf<Service, Request, Response, Method>>(
      server.direct(), method));
}

}  // namespace bdcsync::rpc
