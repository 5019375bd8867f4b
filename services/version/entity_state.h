// One branch of an entity as one of its versions left it, and how it is read from an event. Values;
// shared between threads only as const.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::event_store::v1 {
class Event;
}  // namespace bdcsync::event_store::v1
namespace bdcsync::version::v1 {
class EntityState;
class VersionMeta;
}  // namespace bdcsync::version::v1

namespace bdcsync::version {

struct EntityState {
  int64_t revision = 0;  // 0: there is no version yet.
  uint64_t event_id = 0;
  bool deleted = false;
  bool sealed = false;  // The end of a conflict's branch (conflict_facts.h).
  std::string data;     // JSON text while it lives.
  std::string category;
  std::string user_id;  // Who made this version, on which device and when by its own clock.
  std::string device_id;
  int64_t client_time_ms = 0;
  int64_t time_ms = 0;  // When it was committed; 0: not yet.

  bool exists() const { return revision > 0; }
  bool alive() const { return exists() && !deleted; }
  // Empty when there is no version yet.
  std::string version_id() const;
  // What keeping it costs, roughly.
  size_t bytes() const;
};

// Shared because a head is held by the cache, by the batch that works on it and as a base at once.
using StatePtr = std::shared_ptr<const EntityState>;

// The state of an entity that has no version.
const StatePtr& NoState();
// The state after `event`, whose meta is left in `meta`. An event whose meta cannot be read keeps
// its data and loses its author.
StatePtr StateAfter(const event_store::v1::Event& event, v1::VersionMeta& meta);
StatePtr StateAfter(const event_store::v1::Event& event);
// The state as readers are told of it, but for the entity's key.
void FillState(const EntityState& from, v1::EntityState& state);

}  // namespace bdcsync::version
