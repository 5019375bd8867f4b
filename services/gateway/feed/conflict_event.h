// What an event about the conflicts of an entity tells subscribers: that one was opened or closed,
// or, to those who get the state, all that are open. Rendered once, shared by all who are told.
// Lives on one loop: rendering is cached without a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::gateway {

// One message about one conflict.
struct ConflictNews {
  const conflict::v1::Conflict* conflict = nullptr;
  bool opened = false;
  int64_t seq = 0;
  int64_t open_conflicts = 0;  // About the entity, after it.
  std::string tail;            // Its JSON from `,"seq":` on.
};

class ConflictEvent {
 public:
  // Null when the event tells of no conflict: its meta must be a ConflictFact.
  static std::unique_ptr<const ConflictEvent> Of(const event_store::v1::Event& event);

  // The one that was opened or closed.
  absl::Span<const ConflictNews> Change() const;
  // Those that are open after it.
  absl::Span<const ConflictNews> State() const;
  size_t bytes() const { return bytes_; }

 private:
  ConflictEvent() = default;
  ConflictNews NewsOf(const conflict::v1::Conflict& conflict, bool opened) const;

  int64_t seq_ = 0;
  size_t bytes_ = 0;
  version::v1::ConflictFact fact_;
  version::v1::OpenConflicts open_;
  mutable std::vector<ConflictNews> change_;
  mutable std::vector<ConflictNews> state_;
};

}  // namespace bdcsync::gateway
