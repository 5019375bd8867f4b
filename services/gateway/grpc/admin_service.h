// AdminService: parked operations and run-time configuration, for operators with an admin token.
// Translates, checks the claim and writes the audit log; decides nothing else. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bdcsync/admin/v1/admin.grpc.pb.h"
#include "libs/log/logger.h"
#include "services/gateway/grpc/gated_service.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/spool/parked_operations.h"

namespace bdcsync::gateway {

inline constexpr int kParkedPageMax = 500;           // Groups.
inline constexpr int kParkedPageDefault = 100;       // Groups.
inline constexpr int kParkedPageBytesMax = 4 << 20;  // Of operations, but at least one group.
inline constexpr int kParkedIdsMax = 1000;           // In one call.

struct AdminServiceDependencies {
  CallGate gate;
  ParkedOperations& parked;
  // As app::Context::ChangeConfig.
  std::function<absl::StatusOr<std::map<std::string, std::string>>(
      const std::map<std::string, std::string>&)>
      change_config;
  const log::Logger& logger;
};

class AdminService final : public admin::v1::AdminService::CallbackService {
 public:
  // Serves from now on; before, every call is UNAVAILABLE. What is referred to is borrowed until no
  // call is in flight.
  void Serve(const AdminServiceDependencies* dependencies) { to_.Begin(dependencies); }
  // Refuses calls from now on, with UNAVAILABLE. Those in flight go on.
  void Stop() { to_.Stop(); }

  grpc::ServerUnaryReactor* ListParked(grpc::CallbackServerContext* context,
                                       const admin::v1::ListParkedRequest* request,
                                       admin::v1::ListParkedResponse* response) override;
  grpc::ServerUnaryReactor* RetryParked(grpc::CallbackServerContext* context,
                                        const admin::v1::RetryParkedRequest* request,
                                        admin::v1::RetryParkedResponse* response) override;
  grpc::ServerUnaryReactor* DiscardParked(grpc::CallbackServerContext* context,
                                          const admin::v1::DiscardParkedRequest* request,
                                          admin::v1::DiscardParkedResponse* response) override;
  grpc::ServerUnaryReactor* ChangeConfig(grpc::CallbackServerContext* context,
                                         const admin::v1::ChangeConfigRequest* request,
                                         admin::v1::ChangeConfigResponse* response) override;

 private:
  // Runs `handle(dependencies, caller, done)`, which must run done(status) once, for an admin.
  template <typename Handle>
  grpc::ServerUnaryReactor* ForAdmin(grpc::CallbackServerContext* context, Handle handle);

  Served<AdminServiceDependencies> to_;
};

}  // namespace bdcsync::gateway
