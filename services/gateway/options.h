// The gateway's configuration as its parts take it. Pure.
#pragma once

#include <string>

#include "libs/config/schema.h"
#include "libs/config/values.h"
#include "libs/queue/durable_queue.h"
#include "services/gateway/desk/conflict_worker.h"
#include "services/gateway/feed/feed_limits.h"
#include "services/gateway/feed/live_limits.h"
#include "services/gateway/pipeline/commit_pipeline.h"
#include "services/gateway/pipeline/device_standing.h"
#include "services/gateway/pipeline/entity_reader.h"
#include "services/gateway/session/session_options.h"
#include "services/gateway/spool/known_access.h"
#include "services/gateway/spool/spool.h"
#include "services/gateway/websocket/server_options.h"

namespace bdcsync::gateway {

void DeclareGatewayConfig(config::Schema& schema);

ServerOptions ServerOptionsFrom(const config::Values& values);
SessionOptions SessionOptionsFrom(const config::Values& values);
FeedLimits FeedLimitsFrom(const config::Values& values);
LiveLimits LiveLimitsFrom(const config::Values& values);
PipelineLimits PipelineLimitsFrom(const config::Values& values);
ReadLimits ReadLimitsFrom(const config::Values& values);
queue::QueueLimits QueueLimitsFrom(const config::Values& values);
SpoolLimits SpoolLimitsFrom(const config::Values& values);
KnownAccessLimits KnownAccessLimitsFrom(const config::Values& values);
DeviceStandingLimits DeviceStandingLimitsFrom(const config::Values& values);
ConflictWorkerOptions ConflictWorkerOptionsFrom(const config::Values& values);
// The folder of the spool.
std::string SpoolFolder(const config::Values& values);

}  // namespace bdcsync::gateway
