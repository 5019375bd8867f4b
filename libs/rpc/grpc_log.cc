#include "libs/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <atomic>
#include <memory>

namespace bdcsync::rpc {
namespace {

// Never deleted: gRPC's threads may log until the very end.
std::atomic<const log::Logger*> target{nullptr};

void Write(gpr_log_func_args* record) {
  const log::Logger& logger = *target.load();
  const log::Level level = record->severity == GPR_LOG_SEVERITY_ERROR  ? log::Level::kWarn
                           : record->severity == GPR_LOG_SEVERITY_INFO ? log::Level::kInfo
                                                                       : log::Level::kDebug;
  logger.Log(level, record->message,
             {{"from", "grpc"}, {"file", record->file}, {"line", record->line}});
}

}  // namespace

void SendGrpcLogsTo(const log::Logger& logger) {
  auto copy = std::make_unique<const log::Logger>(logger);
  const log::Logger* none = nullptr;
  if (!target.compare_exchange_strong(none, copy.get())) return;
  static_cast<void>(copy.release());
  gpr_set_log_function(Write);
}

}  // namespace bdcsync::rpc
