// Stands between a connection of the format kProto and its session, which speaks JSON as all
// sessions do: translates messages in both directions and decides nothing. Loop thread.
#pragma once

#include <memory>

#include "services/gateway/session/connection.h"
#include "services/gateway/session/session.h"

namespace bdcsync::gateway {

// Makes the session on the other side.
using SessionMaker = std::shared_ptr<ConnectionHandler> (*)(SessionServices& services,
                                                            Connection& connection);

// The handler of `connection`, which is borrowed like `services`.
std::shared_ptr<ConnectionHandler> MakeProtoEdge(SessionServices& services, Connection& connection,
                                                 SessionMaker make_session);

}  // namespace bdcsync::gateway
