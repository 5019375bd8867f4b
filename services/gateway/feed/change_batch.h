// What a range of a space's events means to a subscription, and the frames that say so. A batch is
// computed once for all subscriptions with the same position, filter and mode; a frame is built
// once for all with the same subscription id and payload. Lives on one loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "libs/entity/cursor.h"
#include "services/gateway/feed/entity_filter.h"
#include "services/gateway/feed/feed_event.h"
#include "services/gateway/feed/stream_ends.h"
#include "services/gateway/session/frame.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

struct Change {
  sync::v1::ChangeKind kind = sync::v1::CHANGE_KIND_UNSPECIFIED;
  FeedEventPtr event;
  // The subscriber had the version before this one, so a patch leads it here.
  bool follows = false;
};

// What the subscriber has before a range of events. While only the latest state was transferred,
// entities changed: where the first event of an entity in the range is not after `unsure_until`,
// the subscriber has the entity as it was before that event, or as it was at `unsure_base` or, when
// it was interrupted in between, at a later seq up to `had_until`.
struct View {
  int64_t unsure_base = 0;
  int64_t had_until = 0;
  int64_t unsure_until = 0;

  friend bool operator==(const View&, const View&) = default;
};

// What an event about conflicts tells the subscriber: the change that it brings, or, to one who is
// given the state, all that are open.
std::vector<const ConflictNews*> NewsIn(const FeedEvent& event, const EntityFilter& filter,
                                        bool state);
// Every event of `events`, consecutive by seq, that `filter` lets through, with its kind.
std::vector<Change> EveryChange(absl::Span<const FeedEventPtr> events, const EntityFilter& filter,
                                const View& view);
// The same for `events` that are the last of their streams in the range of `ends`: what `filter`
// lets through, in order of seq. `view` is how the subscriber stood before that range.
std::vector<Change> LatestChanges(absl::Span<const FeedEventPtr> events, const StreamEnds& ends,
                                  const EntityFilter& filter, const View& view);
// The same for a page in which the store left out what was superseded since `base`: what lay
// between is not known, so whoever may have had an entity is told that it went away. What began
// after `whole_until`, or was out of view before its event, the subscriber may lack.
std::vector<Change> StoredLatestChanges(absl::Span<const FeedEventPtr> events,
                                        const EntityFilter& filter, int64_t base,
                                        int64_t whole_until);

// Immutable but for the frames it remembers.
class ChangeBatch {
 public:
  // Covers the seqs after `from`, up to and including that of `cursor`, where it leads.
  ChangeBatch(absl::string_view space, int64_t from, entity::Cursor cursor,
              std::vector<Change> changes);
  // About the conflicts of one entity, as `event` tells of them: some of its news.
  ChangeBatch(absl::string_view space, int64_t from, entity::Cursor cursor, FeedEventPtr event,
              std::vector<const ConflictNews*> news);

  int64_t from() const { return from_; }
  int64_t to() const { return to_; }
  const std::string& cursor() const { return cursor_; }
  const std::vector<Change>& changes() const { return changes_; }
  // Empty but in a batch about conflicts, which has no changes.
  const std::vector<const ConflictNews*>& news() const { return news_; }
  bool empty() const { return changes_.empty() && news_.empty(); }
  // Hands out the `changes` message, or one conflict_opened or conflict_closed for each news, of
  // which the last carries the cursor. In a batch about conflicts nothing is caught up.
  void ForEachFrame(absl::string_view subscription_id, SubscriptionPayload payload, bool caught_up,
                    absl::FunctionRef<void(const SharedFrame&)> use) const;

 private:
  struct MadeFrames {
    std::string subscription_id;
    SubscriptionPayload payload;
    bool caught_up;
    std::vector<SharedFrame> frames;
  };
  std::vector<SharedFrame> MakeFrames(absl::string_view subscription_id,
                                      SubscriptionPayload payload, bool caught_up) const;
  std::vector<SharedFrame> MakeNewsFrames(absl::string_view subscription_id) const;
  const std::string& Body(SubscriptionPayload payload) const;

  const std::string space_;
  const int64_t from_;
  const int64_t to_;
  const std::string cursor_;
  const std::vector<Change> changes_;
  const FeedEventPtr event_;  // Holds the news.
  const std::vector<const ConflictNews*> news_;
  mutable std::string bodies_[3];  // By payload: ,"space":…,"events":[…],"cursor":"…"
  mutable std::vector<MadeFrames> frames_;
};

}  // namespace bdcsync::gateway
