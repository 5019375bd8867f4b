#include "services/gateway/feed/conflict_event.h"

#include "services/gateway/protocol/conflict_message.h"

namespace bdcsync::gateway {
namespace {

bool IsOpen(conflict::v1::ConflictState state) {
  return state == conflict::v1::CONFLICT_STATE_OPENING ||
         state == conflict::v1::CONFLICT_STATE_OPEN ||
         state == conflict::v1::CONFLICT_STATE_ASSIGNED;
}

}  // namespace

std::unique_ptr<const ConflictEvent> ConflictEvent::Of(const event_store::v1::Event& event) {
  std::unique_ptr<ConflictEvent> made(new ConflictEvent);
  const bool readable = made->fact_.ParseFromString(event.meta()) && made->fact_.has_conflict() &&
                        made->open_.ParseFromString(event.data());
  if (!readable) return nullptr;
  made->seq_ = event.seq();
  made->bytes_ = sizeof(ConflictEvent) + event.meta().size() + event.data().size();
  return made;
}

ConflictNews ConflictEvent::NewsOf(const conflict::v1::Conflict& conflict, bool opened) const {
  const int64_t open = open_.conflicts_size();
  return {&conflict, opened, seq_, open, ConflictNewsTail(seq_, open, conflict)};
}

absl::Span<const ConflictNews> ConflictEvent::Change() const {
  if (change_.empty()) {
    const conflict::v1::Conflict& conflict = fact_.conflict();
    change_.push_back(NewsOf(conflict, IsOpen(conflict.state())));
  }
  return change_;
}

absl::Span<const ConflictNews> ConflictEvent::State() const {
  if (state_.empty()) {
    for (const conflict::v1::Conflict& conflict : open_.conflicts()) {
      state_.push_back(NewsOf(conflict, /*opened=*/true));
    }
  }
  return state_;
}

}  // namespace bdcsync::gateway
