// VersionService over gRPC: translates calls to committer and reader and decides nothing.
// Thread-safe.
#pragma once

#include <atomic>

#include "bdcsync/version/v1/version.grpc.pb.h"
#include "libs/rpc/arena_messages.h"
#include "libs/rpc/server.h"
#include "services/version/committer.h"
#include "services/version/conflict_closer.h"
#include "services/version/conflict_viewer.h"
#include "services/version/reader.h"
#include "services/version/resolution_undoer.h"

namespace bdcsync::version {

class GrpcAdapter final : public v1::VersionService::CallbackService {
 public:
  struct Domain {
    Committer& committer;
    Reader& reader;
    ConflictViewer& viewer;
    ConflictCloser& closer;
    ResolutionUndoer& undoer;
  };

  GrpcAdapter() { SetMessageAllocatorFor_Commit(&commit_messages_); }

  // Makes it a service of `server`, which must go first.
  void AddTo(rpc::Server& server);
  // From now on calls reach `domain`, which must outlive the last of them; UNAVAILABLE before.
  void Serve(Domain& domain) { domain_.store(&domain); }

  grpc::ServerUnaryReactor* Commit(grpc::CallbackServerContext* context,
                                   const v1::CommitRequest* request,
                                   v1::CommitResponse* response) override;
  grpc::ServerUnaryReactor* GetEntities(grpc::CallbackServerContext* context,
                                        const v1::GetEntitiesRequest* request,
                                        v1::GetEntitiesResponse* response) override;
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const v1::GetHistoryRequest* request,
                                       v1::GetHistoryResponse* response) override;
  grpc::ServerUnaryReactor* Diff(grpc::CallbackServerContext* context,
                                 const v1::DiffRequest* request,
                                 v1::DiffResponse* response) override;
  grpc::ServerUnaryReactor* ViewConflicts(grpc::CallbackServerContext* context,
                                          const v1::ViewConflictsRequest* request,
                                          v1::ViewConflictsResponse* response) override;
  grpc::ServerUnaryReactor* CloseConflicts(grpc::CallbackServerContext* context,
                                           const v1::CloseConflictsRequest* request,
                                           v1::CloseConflictsResponse* response) override;
  grpc::ServerUnaryReactor* UndoResolution(grpc::CallbackServerContext* context,
                                           const v1::UndoResolutionRequest* request,
                                           v1::UndoResolutionResponse* response) override;

 private:
  rpc::ArenaMessages<v1::CommitRequest, v1::CommitResponse> commit_messages_;
  std::atomic<Domain*> domain_{nullptr};
};

}  // namespace bdcsync::version
