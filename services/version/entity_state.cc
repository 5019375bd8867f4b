#include "services/version/entity_state.h"

#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/entity/version_id.h"
#include "services/version/conflict_facts.h"

namespace bdcsync::version {

std::string EntityState::version_id() const {
  return exists() ? entity::MakeVersionId(revision, event_id) : std::string();
}

size_t EntityState::bytes() const {
  return sizeof(EntityState) + data.capacity() + category.capacity() + user_id.capacity() +
         device_id.capacity();
}

const StatePtr& NoState() {
  static const StatePtr& none = *new StatePtr(std::make_shared<EntityState>());
  return none;
}

StatePtr StateAfter(const event_store::v1::Event& event, v1::VersionMeta& meta) {
  auto state = std::make_shared<EntityState>();
  state->revision = event.revision();
  state->event_id = event.event_id();
  state->deleted = event.tombstone();
  state->data = event.data();
  state->time_ms = event.time_ms();
  if (meta.ParseFromString(event.meta())) {
    state->category = meta.category();
    state->user_id = meta.user_id();
    state->device_id = meta.device_id();
    state->client_time_ms = meta.client_time_ms();
    state->sealed = state->deleted && IsSeal(meta);
  }
  return state;
}

StatePtr StateAfter(const event_store::v1::Event& event) {
  v1::VersionMeta meta;
  return StateAfter(event, meta);
}

void FillState(const EntityState& from, v1::EntityState& state) {
  state.set_version_id(from.version_id());
  state.set_revision(from.revision);
  state.set_deleted(from.deleted);
  if (!from.deleted) state.set_data(from.data);
  state.set_category(from.category);
  state.set_time_ms(from.time_ms);
}

}  // namespace bdcsync::version
