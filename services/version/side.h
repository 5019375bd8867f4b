// A state as conflict is told of it. Thread-safe: functions only.
#pragma once

#include "bdcsync/conflict/v1/conflict.pb.h"
#include "services/version/entity_state.h"

namespace bdcsync::version {

// All of it: data, version, who made it and when.
void SetSide(const EntityState& state, conflict::v1::Side& side);
// Without the data, which the other end makes itself.
void SetSideAuthor(const EntityState& state, conflict::v1::Side& side);

}  // namespace bdcsync::version
