#include "services/version/testing/fake_services.h"

#include <utility>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/app/context.h"
#include "libs/rpc/server.h"
#include "libs/rpc/unary.h"

namespace bdcsync::version::testing {
namespace {

template <typename Response>
auto Into(Response* response, grpc::ServerUnaryReactor* reactor) {
  return [response, reactor](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = *std::move(answer);
    rpc::FinishWith(reactor, answer.status());
  };
}

class EventStoreService final : public event_store::v1::EventStoreService::CallbackService {
 public:
  explicit EventStoreService(FakeEventLog& log) : log_(log) {}

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const event_store::v1::AppendRequest* request,
                                   event_store::v1::AppendResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    log_.NoteCaller(rpc::TraceOf(*context));
    log_.Append(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* ReadHeads(grpc::CallbackServerContext* context,
                                      const event_store::v1::ReadHeadsRequest* request,
                                      event_store::v1::ReadHeadsResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    log_.NoteCaller(rpc::TraceOf(*context));
    log_.ReadHeads(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* ReadStream(grpc::CallbackServerContext* context,
                                       const event_store::v1::ReadStreamRequest* request,
                                       event_store::v1::ReadStreamResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    log_.NoteCaller(rpc::TraceOf(*context));
    log_.ReadStream(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* GetOperations(
      grpc::CallbackServerContext* context, const event_store::v1::GetOperationsRequest* request,
      event_store::v1::GetOperationsResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    log_.NoteCaller(rpc::TraceOf(*context));
    log_.GetOperations(*request, Into(response, reactor));
    return reactor;
  }
  // Answers as a read of nothing does.
  grpc::ServerUnaryReactor* GetStoreInfo(
      grpc::CallbackServerContext* context, const event_store::v1::GetStoreInfoRequest* /*request*/,
      event_store::v1::GetStoreInfoResponse* /*response*/) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    log_.ReadHeads({}, [reactor](absl::StatusOr<event_store::v1::ReadHeadsResponse> heads) {
      rpc::FinishWith(reactor, heads.status());
    });
    return reactor;
  }

 private:
  FakeEventLog& log_;
};

class ConflictService final : public conflict::v1::ConflictService::CallbackService {
 public:
  struct Fakes {
    MergingResolver& resolver;
    FakeDesk& desk;
  };
  explicit ConflictService(Fakes fakes) : resolver_(fakes.resolver), desk_(fakes.desk) {}

  grpc::ServerUnaryReactor* Resolve(grpc::CallbackServerContext* context,
                                    const conflict::v1::ResolveRequest* request,
                                    conflict::v1::ResolveResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    resolver_.NoteCaller(rpc::TraceOf(*context));
    resolver_.Resolve(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* RecordFacts(grpc::CallbackServerContext* context,
                                        const conflict::v1::RecordFactsRequest* request,
                                        conflict::v1::RecordFactsResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    desk_.RecordFacts(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* GetConflicts(grpc::CallbackServerContext* context,
                                         const conflict::v1::GetConflictsRequest* request,
                                         conflict::v1::GetConflictsResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    desk_.GetConflicts(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* Decide(grpc::CallbackServerContext* context,
                                   const conflict::v1::DecideRequest* request,
                                   conflict::v1::DecideResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    desk_.Decide(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* PlanUndo(grpc::CallbackServerContext* context,
                                     const conflict::v1::PlanUndoRequest* request,
                                     conflict::v1::PlanUndoResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    desk_.PlanUndo(*request, Into(response, reactor));
    return reactor;
  }
  grpc::ServerUnaryReactor* RecordUndone(grpc::CallbackServerContext* context,
                                         const conflict::v1::RecordUndoneRequest* request,
                                         conflict::v1::RecordUndoneResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    desk_.RecordUndone(*request, Into(response, reactor));
    return reactor;
  }

 private:
  MergingResolver& resolver_;
  FakeDesk& desk_;
};

// A module that serves one gRPC service under the name of another.
template <typename Service>
class FakeModule final : public app::Module {
 public:
  template <typename Fakes>
  FakeModule(absl::string_view name, Fakes&& fakes)
      : name_(name), service_(std::forward<Fakes>(fakes)) {}

  absl::string_view name() const override { return name_; }
  app::DefaultPorts default_ports() const override { return {}; }
  void DeclareConfig(config::Schema& /*schema*/) const override {}
  absl::Status Configure(app::Context& context) override {
    context.server().AddService(&service_);
    return absl::OkStatus();
  }
  absl::Status Start(app::Context& /*context*/) override { return absl::OkStatus(); }
  void Drain(absl::Time /*deadline*/) override {}

 private:
  const absl::string_view name_;
  Service service_;
};

}  // namespace

std::unique_ptr<app::Module> MakeFakeEventStore(FakeEventLog& log) {
  return std::make_unique<FakeModule<EventStoreService>>("event-store", log);
}

std::unique_ptr<app::Module> MakeFakeConflict(MergingResolver& resolver, FakeDesk& desk) {
  return std::make_unique<FakeModule<ConflictService>>("conflict",
                                                       ConflictService::Fakes{resolver, desk});
}

}  // namespace bdcsync::version::testing
