#include "services/gateway/grpc/sync_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/rpc/unary.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/grpc/gated_service.h"
#include "services/gateway/grpc/grpc_caller.h"
#include "services/gateway/pipeline/normalize_operation.h"
#include "services/gateway/protocol/checked_batch.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

// Fills in what results name, and checks what the WebSocket's parser does.
absl::Status Prepare(const Caller& caller, size_t json_depth_max,
                     common::v1::Operation& operation) {
  common::v1::EntityKey& key = *operation.mutable_entity();
  if (key.space().empty()) key.set_space(OwnSpace(caller));
  if (key.branch().empty()) key.set_branch(std::string(entity::kMainBranch));
  return NormalizeOperation(operation, json_depth_max);
}

CheckedBatch Check(const Caller& caller, const sync::v1::ProcessSyncBatchRequest& request,
                   size_t json_depth_max) {
  std::vector<SyncBatchRequest::Item> items(static_cast<size_t>(request.operations_size()));
  for (int i = 0; i < request.operations_size(); ++i) {
    items[i].operation = request.operations(i);
    items[i].status = Prepare(caller, json_depth_max, items[i].operation);
  }
  return CheckBatch(std::move(items), request.atomic());
}

CallGate GateOf(const SyncServiceDependencies& to) {
  return {to.tokens, to.standing, to.access, to.require_authentication};
}

}  // namespace

template <typename Handle>
grpc::ServerUnaryReactor* SyncService::Authenticated(grpc::CallbackServerContext* context,
                                                     Handle handle) {
  const absl::StatusOr<const SyncServiceDependencies*> serving = to_.Get();
  if (!serving.ok()) return rpc::FinishNow(context, serving.status());
  const SyncServiceDependencies& to = **serving;
  return PassGate(
      context, GateOf(to),
      [&to, handle = std::move(handle)](std::shared_ptr<const Caller> caller, auto done) mutable {
        handle(to, std::move(caller), done);
      });
}

grpc::ServerUnaryReactor* SyncService::ProcessSync(grpc::CallbackServerContext* context,
                                                   const sync::v1::ProcessSyncRequest* request,
                                                   sync::v1::ProcessSyncResponse* response) {
  return Authenticated(context, [request, response](const SyncServiceDependencies& to,
                                                    std::shared_ptr<const Caller> caller,
                                                    auto done) {
    common::v1::Operation operation = request->operation();
    if (const absl::Status ready = Prepare(*caller, to.json_depth_max, operation); !ready.ok()) {
      to.metrics.CountError(ReasonOf(ready));
      *response->mutable_result() = RejectedResult(operation, ready);
      done(absl::OkStatus());
      return;
    }
    to.operations.Submit(std::move(caller), {std::move(operation)},
                         {.request_id = CallScope::Current().request_id},
                         [&to, response, done](std::vector<sync::v1::OperationResult> results) {
                           to.metrics.CountErrors(results);
                           *response->mutable_result() = std::move(results.front());
                           done(absl::OkStatus());
                         });
  });
}

grpc::ServerUnaryReactor* SyncService::ProcessSyncBatch(
    grpc::CallbackServerContext* context, const sync::v1::ProcessSyncBatchRequest* request,
    sync::v1::ProcessSyncBatchResponse* response) {
  return Authenticated(context, [request, response](const SyncServiceDependencies& to,
                                                    std::shared_ptr<const Caller> caller,
                                                    auto done) {
    // What was sent counts, as on the WebSocket, whatever is wrong with it.
    if (request->operations_size() > to.operations_per_batch_max) {
      done(MakeErrorAt(Reason::kTooLarge, "operations",
                       absl::StrCat("at most ", to.operations_per_batch_max, " operations")));
      return;
    }
    CheckedBatch batch = Check(*caller, *request, to.json_depth_max);
    std::vector<common::v1::Operation> operations = std::move(batch.operations);
    const SubmitOptions options{
        .batch = true, .atomic = request->atomic(), .request_id = CallScope::Current().request_id};
    to.operations.Submit(std::move(caller), std::move(operations), options,
                         [&to, response, done, batch = std::move(batch)](
                             std::vector<sync::v1::OperationResult> results) mutable {
                           for (size_t i = 0; i < results.size(); ++i) {
                             batch.results[batch.places[i]] = std::move(results[i]);
                           }
                           to.metrics.CountErrors(batch.results);
                           for (sync::v1::OperationResult& result : batch.results) {
                             *response->add_results() = std::move(result);
                           }
                           done(absl::OkStatus());
                         });
  });
}

grpc::ServerUnaryReactor* SyncService::GetEntity(grpc::CallbackServerContext* context,
                                                 const sync::v1::GetEntityRequest* request,
                                                 sync::v1::GetEntityResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    std::shared_ptr<const Caller> caller, auto done) {
    to.reads.GetEntity(std::move(caller), *request, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* SyncService::ListEntities(grpc::CallbackServerContext* context,
                                                    const sync::v1::ListEntitiesRequest* request,
                                                    sync::v1::ListEntitiesResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    std::shared_ptr<const Caller> caller, auto done) {
    to.reads.ListEntities(std::move(caller), *request, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* SyncService::GetHistory(grpc::CallbackServerContext* context,
                                                  const sync::v1::GetHistoryRequest* request,
                                                  sync::v1::GetHistoryResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    std::shared_ptr<const Caller> caller, auto done) {
    to.reads.GetHistory(std::move(caller), *request, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* SyncService::Diff(grpc::CallbackServerContext* context,
                                            const sync::v1::DiffRequest* request,
                                            sync::v1::DiffResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    std::shared_ptr<const Caller> caller, auto done) {
    to.reads.Diff(std::move(caller), *request, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* SyncService::ListDevices(grpc::CallbackServerContext* context,
                                                   const sync::v1::ListDevicesRequest* request,
                                                   sync::v1::ListDevicesResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    std::shared_ptr<const Caller> caller, auto done) {
    device_sync::v1::ListDevicesRequest query;
    query.set_user_id(caller->user_id);
    query.set_page_token(request->page_token());
    query.set_limit(request->limit());
    using Answer = device_sync::v1::ListDevicesResponse;
    to.devices.ListDevices(std::move(query), [response, done](absl::StatusOr<Answer> answer) {
      if (answer.ok()) {
        response->mutable_devices()->Swap(answer->mutable_devices());
        response->set_next_page_token(answer->next_page_token());
      }
      done(answer.status());
    });
  });
}

grpc::ServerUnaryReactor* SyncService::RevokeDevice(grpc::CallbackServerContext* context,
                                                    const sync::v1::RevokeDeviceRequest* request,
                                                    sync::v1::RevokeDeviceResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    const std::shared_ptr<const Caller>& caller, auto done) {
    device_sync::v1::RevokeDeviceRequest revoke;
    revoke.set_user_id(request->user_id().empty() ? caller->user_id : request->user_id());
    revoke.set_device_id(request->device_id());
    if (revoke.user_id() != caller->user_id && !caller->admin) {
      done(MakeErrorAt(Reason::kForbidden, "user_id", "only an admin may revoke others' devices"));
      return;
    }
    using Answer = device_sync::v1::RevokeDeviceResponse;
    device_sync::v1::DeviceName name;
    name.set_user_id(revoke.user_id());
    name.set_device_id(revoke.device_id());
    to.devices.RevokeDevice(std::move(revoke), [&to, name = std::move(name), response,
                                                done](absl::StatusOr<Answer> answer) {
      if (answer.ok()) {
        to.access.OnRevoked(name);  // The bus may be away.
        response->mutable_device()->Swap(answer->mutable_device());
      }
      done(answer.status());
    });
  });
}

grpc::ServerUnaryReactor* SyncService::GetStatus(grpc::CallbackServerContext* context,
                                                 const sync::v1::GetStatusRequest* request,
                                                 sync::v1::GetStatusResponse* response) {
  return Authenticated(context, [=](const SyncServiceDependencies& to,
                                    const std::shared_ptr<const Caller>& caller, auto done) {
    *response = to.status();
    done(absl::OkStatus());
  });
}

grpc::ServerWriteReactor<sync::v1::WatchResponse>* SyncService::Watch(
    grpc::CallbackServerContext* context, const sync::v1::WatchRequest* request) {
  const absl::StatusOr<const SyncServiceDependencies*> serving = to_.Get();
  if (!serving.ok()) return RefuseWatch(serving.status());
  const SyncServiceDependencies& to = **serving;
  const absl::StatusOr<std::shared_ptr<const Caller>> caller =
      CallerOf(*context, to.tokens, to.require_authentication);
  if (!caller.ok()) return RefuseWatch(caller.status());
  if ((*caller)->device_id.empty()) return to.watches.Start(*caller, *request);
  return to.watches.Start(*caller, *request, [&to, caller = *caller](WatchHost::Allow allow) {
    to.standing.Check(caller->user_id, caller->device_id, std::move(allow));
  });
}

}  // namespace bdcsync::gateway
