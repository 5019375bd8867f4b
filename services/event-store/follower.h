// One subscription's place in a space or log: catch-up, then live, in order and without holes, by
// reading. Blocks on storage; one thread at a time.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "services/event-store/commit_feed.h"
#include "services/event-store/event_store.h"

namespace bdcsync::event_store {

class Follower {
 public:
  // INVALID_ARGUMENT or NOT_FOUND if `request` names nothing that can be followed. `store` is
  // borrowed.
  static absl::StatusOr<Follower> Create(EventStore& store, const v1::SubscribeRequest& request);

  // The next message, or nothing if nothing is new.
  //   FAILED_PRECONDITION  the history is another one than the subscriber knows: start again.
  absl::StatusOr<std::optional<v1::SubscribeResponse>> Next();

  const FeedScope& scope() const { return scope_; }
  // The seq or position of the last event that Next returned.
  int64_t reached() const { return reached_; }

 private:
  explicit Follower(EventStore& store) : store_(&store) {}
  absl::StatusOr<v1::SubscribeResponse> ReadPage(int64_t& head);

  EventStore* store_;
  FeedScope scope_;
  int64_t reached_ = 0;
  uint64_t epoch_ = 0;  // 0: not known yet.
  bool caught_up_ = false;
};

}  // namespace bdcsync::event_store
