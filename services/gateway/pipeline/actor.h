// A caller as the services behind are told of them. Pure.
#pragma once

#include "bdcsync/common/v1/common.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

// Without a request id. The version of the client program is cut to what the contract allows.
common::v1::Actor ActorOf(const Caller& caller);

}  // namespace bdcsync::gateway
