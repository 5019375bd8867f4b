#include "services/version/side.h"

namespace bdcsync::version {

void SetSide(const EntityState& state, conflict::v1::Side& side) {
  side.set_exists(state.alive());
  side.set_data(state.data);
  SetSideAuthor(state, side);
}

void SetSideAuthor(const EntityState& state, conflict::v1::Side& side) {
  side.set_version_id(state.version_id());
  side.set_user_id(state.user_id);
  side.set_device_id(state.device_id);
  side.set_client_time_ms(state.client_time_ms);
  side.set_time_ms(state.time_ms);
}

}  // namespace bdcsync::version
