// One subscription as the feed sees it: what it wants, how far it is, and how to tell it. Whoever
// follows a space (a WebSocket session, a gRPC watch) derives from it. Lives on one loop; must stay
// in memory until the turn of the loop after FeedEngine::Remove.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/entity/cursor.h"
#include "services/gateway/feed/change_batch.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

class SpaceFeed;

class FeedSubscription {
 public:
  virtual ~FeedSubscription() = default;

  // The space is known; the first batch follows. Or it could not be read: the subscription is over.
  virtual void OnStarted(absl::StatusOr<Subscribed> started) = 0;
  // Nothing more is sent while false; FeedEngine::Drained goes on.
  virtual bool HasRoom() const = 0;
  // The next changes, none skipped and none repeated. `caught_up` once, at the head.
  virtual void OnBatch(const ChangeBatch& batch, bool caught_up) = 0;
  // The history that the cursor belongs to is lost. The subscription is over.
  virtual void OnResync(absl::string_view reason, absl::Duration after) = 0;
  // The store refuses the reads that this subscription needs. It is over.
  virtual void OnEnded(const absl::Status& why) = 0;

 private:
  friend class FeedEngine;
  friend class SpaceFeed;

  // A read of the latest state of everything after `base`, in batches; what changes after `end` is
  // left to what follows, so that each stream is told of once.
  static constexpr int64_t kUnknown = -1;
  struct LatestRun {
    int64_t base = 0;
    int64_t end = kUnknown;  // The head when the first batch was made.
    bool first_sync = false;
    bool paged = false;  // The store was asked, not only recent events.
    View before;         // How the subscriber stood at `base`.

    // The subscriber had everything of up to here: `base`, if it was not unsure of anything there.
    int64_t whole_until() const {
      return before.unsure_until > base ? std::min(before.unsure_base, base) : base;
    }

    friend bool operator==(const LatestRun&, const LatestRun&) = default;
  };

  // Before a subscription begins, or begins again.
  void Reset() {
    started_ = paused_ = waits_for_page_ = told_caught_up_ = false;
    position_ = told_ = 0;
    head_call_ = 0;
    run_.reset();
    view_ = {};
  }

  SpaceFeed* feed_ = nullptr;                   // Null before Subscribe and when over.
  size_t slot_ = 0;                             // Among the subscriptions of the space.
  std::shared_ptr<const EntityFilter> filter_;  // Shared by subscriptions with equal filters.
  SubscriptionMode mode_ = SubscriptionMode::kChanges;
  std::optional<entity::Cursor> wanted_;  // From the client; cleared when started.
  bool started_ = false;
  bool paused_ = false;
  bool waits_for_page_ = false;
  bool told_caught_up_ = false;
  uint64_t head_call_ = 0;  // Starts with the head of this call or a later one.
  int64_t position_ = 0;    // Everything up to here was sent.
  int64_t told_ = 0;        // The last cursor that was sent.
  std::optional<LatestRun> run_;
  View view_;  // How it stands now; during a run, how it stands to what the run has not told yet.
};

}  // namespace bdcsync::gateway
