// EventStoreService over gRPC: translates and decides nothing. Appends never block a reaction;
// reads run on workers. Thread-safe.
#pragma once

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/rpc/arena_messages.h"
#include "libs/rpc/server.h"
#include "services/event-store/event_store.h"

namespace bdcsync::rpc {
class WorkerPool;
}

namespace bdcsync::event_store {

class CommitFeed;
class SubscribeReactor;

class GrpcAdapter final : public v1::EventStoreService::CallbackService {
 public:
  // Borrows it. Answers UNAVAILABLE until Serve.
  explicit GrpcAdapter(rpc::WorkerPool& workers) : workers_(workers) {
    SetMessageAllocatorFor_Append(&append_messages_);
  }

  // Makes it a service of `server`, which must go first.
  void AddTo(rpc::Server& server);
  // From now on calls reach these, which must outlive the last call.
  void Serve(EventStore& store, CommitFeed& feed);
  // Ends all subscriptions, now and to come: subscribers go on at another replica. Returns when the
  // last one has let go of the feed, or at `deadline`.
  void StopSubscriptions(absl::Time deadline);

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override;
  grpc::ServerUnaryReactor* ReadHeads(grpc::CallbackServerContext* context,
                                      const v1::ReadHeadsRequest* request,
                                      v1::ReadHeadsResponse* response) override;
  grpc::ServerUnaryReactor* GetOperations(grpc::CallbackServerContext* context,
                                          const v1::GetOperationsRequest* request,
                                          v1::GetOperationsResponse* response) override;
  grpc::ServerUnaryReactor* ReadStream(grpc::CallbackServerContext* context,
                                       const v1::ReadStreamRequest* request,
                                       v1::ReadStreamResponse* response) override;
  grpc::ServerUnaryReactor* ReadSpace(grpc::CallbackServerContext* context,
                                      const v1::ReadSpaceRequest* request,
                                      v1::ReadSpaceResponse* response) override;
  grpc::ServerUnaryReactor* ReadLog(grpc::CallbackServerContext* context,
                                    const v1::ReadLogRequest* request,
                                    v1::ReadLogResponse* response) override;
  grpc::ServerUnaryReactor* GetSpaceHeads(grpc::CallbackServerContext* context,
                                          const v1::GetSpaceHeadsRequest* request,
                                          v1::GetSpaceHeadsResponse* response) override;
  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* context, const v1::SubscribeRequest* request) override;
  grpc::ServerUnaryReactor* PutSnapshot(grpc::CallbackServerContext* context,
                                        const v1::PutSnapshotRequest* request,
                                        v1::PutSnapshotResponse* response) override;
  grpc::ServerUnaryReactor* GetSnapshot(grpc::CallbackServerContext* context,
                                        const v1::GetSnapshotRequest* request,
                                        v1::GetSnapshotResponse* response) override;
  grpc::ServerUnaryReactor* GetStoreInfo(grpc::CallbackServerContext* context,
                                         const v1::GetStoreInfoRequest* request,
                                         v1::GetStoreInfoResponse* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context, const Request* request,
                                 Response* response,
                                 absl::StatusOr<Response> (EventStore::*read)(const Request&));
  template <typename Handle>
  grpc::ServerUnaryReactor* OnWorker(grpc::CallbackServerContext* context, Handle handle);

  rpc::ArenaMessages<v1::AppendRequest, v1::AppendResponse> append_messages_;
  rpc::WorkerPool& workers_;
  std::atomic<EventStore*> store_{nullptr};
  std::atomic<CommitFeed*> feed_{nullptr};
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<SubscribeReactor*> subscriptions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::event_store
