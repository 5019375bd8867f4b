#include "services/event-store/grpc_adapter.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/rpc/status.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "libs/rpc/worker_pool.h"
#include "services/event-store/commit_feed.h"
#include "services/event-store/follower.h"
#include "services/event-store/subscribe_reactor.h"

namespace bdcsync::event_store {
namespace {

absl::Status Starting() { return MakeError(Reason::kUnavailable, "event-store is starting"); }

// A Subscribe call that is refused at once.
class RefusedSubscription final : public grpc::ServerWriteReactor<v1::SubscribeResponse> {
 public:
  explicit RefusedSubscription(const absl::Status& status) { Finish(rpc::ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

void GrpcAdapter::AddTo(rpc::Server& server) {
  server.AddService(this, rpc::Audience::kSuite);
  rpc::ServeOnStreams<v1::EventStoreService>(server, &GrpcAdapter::Append, &GrpcAdapter::ReadHeads,
                                             &GrpcAdapter::GetOperations, &GrpcAdapter::ReadStream,
                                             &GrpcAdapter::ReadSpace, &GrpcAdapter::ReadLog,
                                             &GrpcAdapter::GetSpaceHeads, &GrpcAdapter::PutSnapshot,
                                             &GrpcAdapter::GetSnapshot, &GrpcAdapter::GetStoreInfo);
}

void GrpcAdapter::Serve(EventStore& store, CommitFeed& feed) {
  feed_.store(&feed);
  store_.store(&store);
}

void GrpcAdapter::StopSubscriptions(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (SubscribeReactor* subscription : subscriptions_) {
    subscription->Stop(MakeError(Reason::kUnavailable, "event-store stops"));
  }
  const auto gone = [this]()
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return subscriptions_.empty(); };
  mutex_.AwaitWithDeadline(absl::Condition(&gone), deadline);
}

template <typename Handle>
grpc::ServerUnaryReactor* GrpcAdapter::OnWorker(grpc::CallbackServerContext* context,
                                                Handle handle) {
  EventStore* const store = store_.load();
  if (store == nullptr) return rpc::FinishNow(context, Starting());
  return rpc::HandleOnPool(context, workers_,
                           [store, handle = std::move(handle)] { return handle(*store); });
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcAdapter::Read(
    grpc::CallbackServerContext* context, const Request* request, Response* response,
    absl::StatusOr<Response> (EventStore::*read)(const Request&)) {
  return OnWorker(context, [request, response, read](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*response, (store.*read)(*request));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::Append(grpc::CallbackServerContext* context,
                                              const v1::AppendRequest* request,
                                              v1::AppendResponse* response) {
  EventStore* const store = store_.load();
  if (store == nullptr) return rpc::FinishNow(context, Starting());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status status =
      store->Append(*request, *response, [reactor] { rpc::FinishWith(reactor, absl::OkStatus()); });
  if (!status.ok()) rpc::FinishWith(reactor, status);
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::ReadHeads(grpc::CallbackServerContext* context,
                                                 const v1::ReadHeadsRequest* request,
                                                 v1::ReadHeadsResponse* response) {
  return Read(context, request, response, &EventStore::ReadHeads);
}
grpc::ServerUnaryReactor* GrpcAdapter::GetOperations(grpc::CallbackServerContext* context,
                                                     const v1::GetOperationsRequest* request,
                                                     v1::GetOperationsResponse* response) {
  return Read(context, request, response, &EventStore::GetOperations);
}
grpc::ServerUnaryReactor* GrpcAdapter::ReadStream(grpc::CallbackServerContext* context,
                                                  const v1::ReadStreamRequest* request,
                                                  v1::ReadStreamResponse* response) {
  return Read(context, request, response, &EventStore::ReadStream);
}
grpc::ServerUnaryReactor* GrpcAdapter::ReadSpace(grpc::CallbackServerContext* context,
                                                 const v1::ReadSpaceRequest* request,
                                                 v1::ReadSpaceResponse* response) {
  return Read(context, request, response, &EventStore::ReadSpace);
}
grpc::ServerUnaryReactor* GrpcAdapter::ReadLog(grpc::CallbackServerContext* context,
                                               const v1::ReadLogRequest* request,
                                               v1::ReadLogResponse* response) {
  return Read(context, request, response, &EventStore::ReadLog);
}
grpc::ServerUnaryReactor* GrpcAdapter::GetSpaceHeads(grpc::CallbackServerContext* context,
                                                     const v1::GetSpaceHeadsRequest* request,
                                                     v1::GetSpaceHeadsResponse* response) {
  return Read(context, request, response, &EventStore::GetSpaceHeads);
}
grpc::ServerUnaryReactor* GrpcAdapter::GetSnapshot(grpc::CallbackServerContext* context,
                                                   const v1::GetSnapshotRequest* request,
                                                   v1::GetSnapshotResponse* response) {
  return Read(context, request, response, &EventStore::GetSnapshot);
}
grpc::ServerUnaryReactor* GrpcAdapter::PutSnapshot(grpc::CallbackServerContext* context,
                                                   const v1::PutSnapshotRequest* request,
                                                   v1::PutSnapshotResponse* /*response*/) {
  return OnWorker(context, [request](EventStore& store) { return store.PutSnapshot(*request); });
}
grpc::ServerUnaryReactor* GrpcAdapter::GetStoreInfo(grpc::CallbackServerContext* context,
                                                    const v1::GetStoreInfoRequest* /*request*/,
                                                    v1::GetStoreInfoResponse* response) {
  return OnWorker(context, [response](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*response, store.GetStoreInfo());
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* GrpcAdapter::Subscribe(
    grpc::CallbackServerContext* /*context*/, const v1::SubscribeRequest* request) {
  EventStore* const store = store_.load();
  if (store == nullptr) return new RefusedSubscription(Starting());
  absl::StatusOr<Follower> follower = Follower::Create(*store, *request);
  if (!follower.ok()) return new RefusedSubscription(follower.status());
  auto* subscription = new SubscribeReactor(  // Deletes itself.
      *feed_.load(), workers_, *std::move(follower), [this](SubscribeReactor* done) {
        absl::MutexLock lock(&mutex_);
        subscriptions_.erase(done);
      });
  {
    absl::MutexLock lock(&mutex_);
    subscriptions_.insert(subscription);
    if (stopped_) subscription->Stop(MakeError(Reason::kUnavailable, "event-store stops"));
  }
  subscription->Start();
  return subscription;
}

}  // namespace bdcsync::event_store
