// What gRPC itself has to say, as records of our log instead of lines of its own on standard error.
// gRPC has one log function for the process, hence a free function. Thread-safe.
#pragma once

#include "libs/log/logger.h"

namespace bdcsync::rpc {

// From now on gRPC's records go to a copy of `logger`, until the process ends. Only the first call
// counts. The logger's clock must outlive the process's last gRPC call.
void SendGrpcLogsTo(const log::Logger& logger);

}  // namespace bdcsync::rpc
