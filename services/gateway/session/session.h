// One authenticated client: the state machine of docs/protocol.md on top of a connection. Reads
// messages, hands them to the ports, and sends answers in the order that the protocol promises.
// Lives on its connection's loop; everything a session keeps is bounded by SessionOptions.
#pragma once

#include <memory>

#include "absl/strings/string_view.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "services/gateway/session/connection.h"
#include "services/gateway/session/frame_variants.h"
#include "services/gateway/session/session_options.h"

namespace bdcsync::gateway {

class ConflictDesk;
class Devices;
class EntityReads;
class LiveChannel;
class Loop;
class OperationPipeline;
class SessionDirectory;
class SessionMetrics;
class Subscriptions;
class TokenVerifier;

// Why a revoked device is refused.
inline constexpr absl::string_view kDeviceRevoked = "this device was revoked";

// What the sessions of one loop share. Everything is borrowed and outlives the sessions.
struct SessionServices {
  Loop& loop;
  const Clock& clock;
  Random& random;
  TokenVerifier& tokens;
  OperationPipeline& operations;
  EntityReads& reads;
  ConflictDesk& desk;
  Subscriptions& subscriptions;
  LiveChannel& live;
  Devices& devices;
  SessionDirectory& directory;
  SessionMetrics& metrics;
  const log::Logger& logger;
  SessionOptions options;
  FrameVariants proto_frames = {};  // Of sessions that speak protobuf.
};

// The handler of a new connection. `services` is borrowed.
std::shared_ptr<ConnectionHandler> MakeSession(SessionServices& services, Connection& connection);

}  // namespace bdcsync::gateway
