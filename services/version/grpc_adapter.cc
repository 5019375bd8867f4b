#include "services/version/grpc_adapter.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"

namespace bdcsync::version {
namespace {

grpc::ServerUnaryReactor* Starting(grpc::CallbackServerContext* context) {
  return rpc::FinishNow(context, MakeError(Reason::kUnavailable, "version is starting"));
}

// Fills `response` with the answer and finishes the call.
template <typename Response>
auto Into(Response* response, grpc::ServerUnaryReactor* reactor) {
  return [response, reactor](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = *std::move(answer);
    rpc::FinishWith(reactor, answer.status());
  };
}

}  // namespace

void GrpcAdapter::AddTo(rpc::Server& server) {
  server.AddService(this, rpc::Audience::kSuite);
  rpc::ServeOnStreams<v1::VersionService>(server, &GrpcAdapter::Commit, &GrpcAdapter::GetEntities,
                                          &GrpcAdapter::GetHistory, &GrpcAdapter::Diff,
                                          &GrpcAdapter::ViewConflicts, &GrpcAdapter::CloseConflicts,
                                          &GrpcAdapter::UndoResolution);
}

grpc::ServerUnaryReactor* GrpcAdapter::Commit(grpc::CallbackServerContext* context,
                                              const v1::CommitRequest* request,
                                              v1::CommitResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Status taken = domain->committer.Commit(
      *request, *response, [reactor] { rpc::FinishWith(reactor, absl::OkStatus()); });
  if (!taken.ok()) rpc::FinishWith(reactor, taken);
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::GetEntities(grpc::CallbackServerContext* context,
                                                   const v1::GetEntitiesRequest* request,
                                                   v1::GetEntitiesResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->reader.GetEntities(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::GetHistory(grpc::CallbackServerContext* context,
                                                  const v1::GetHistoryRequest* request,
                                                  v1::GetHistoryResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->reader.GetHistory(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::Diff(grpc::CallbackServerContext* context,
                                            const v1::DiffRequest* request,
                                            v1::DiffResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->reader.Diff(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::ViewConflicts(grpc::CallbackServerContext* context,
                                                     const v1::ViewConflictsRequest* request,
                                                     v1::ViewConflictsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->viewer.View(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::CloseConflicts(grpc::CallbackServerContext* context,
                                                      const v1::CloseConflictsRequest* request,
                                                      v1::CloseConflictsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->closer.Close(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::UndoResolution(grpc::CallbackServerContext* context,
                                                      const v1::UndoResolutionRequest* request,
                                                      v1::UndoResolutionResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->undoer.Undo(*request, Into(response, reactor));
  return reactor;
}

}  // namespace bdcsync::version
