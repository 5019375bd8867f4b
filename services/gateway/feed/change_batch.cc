#include "services/gateway/feed/change_batch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"

namespace bdcsync::gateway {
namespace {

// Frames remembered per batch; subscriptions beyond that build their own.
constexpr size_t kFramesRememberedMax = 32;

// What a subscriber may have had before an event.
struct Before {
  bool may_have = false;
  bool may_lack = true;
};

// Whether the version before this one was in view.
bool WasInView(const FeedEvent& event, const EntityFilter& filter) {
  return event.meta.existed_before() && filter.MatchesCategory(event.meta.previous_category());
}

Before BeforeOf(const FeedEvent& event, const EntityFilter& filter, const View& view) {
  const bool had = WasInView(event, filter);
  if (event.seq > view.unsure_until) return {had, !had};
  return {had || event.first_seq <= view.had_until, !had || event.first_seq > view.unsure_base};
}

// Whether the event deletes what was deleted since the version that it was made on. Its maker had
// the entity, and waits for the event.
bool DeletesAgain(const FeedEvent& event, const EntityFilter& filter) {
  return event.tombstone && !event.meta.existed_before() &&
         event.meta.outcome() == common::v1::OUTCOME_MERGED &&
         filter.MatchesCategory(event.meta.previous_category());
}

sync::v1::ChangeKind KindOf(Before before, const FeedEvent& after, const EntityFilter& filter) {
  if (!after.tombstone && filter.MatchesCategory(after.meta.category())) {
    return before.may_lack ? sync::v1::CHANGE_KIND_ENTER : sync::v1::CHANGE_KIND_UPDATE;
  }
  if (!before.may_have && !DeletesAgain(after, filter)) return sync::v1::CHANGE_KIND_UNSPECIFIED;
  return after.tombstone ? sync::v1::CHANGE_KIND_DELETE : sync::v1::CHANGE_KIND_LEAVE;
}

void Add(std::vector<Change>& changes, sync::v1::ChangeKind kind, const FeedEventPtr& event,
         bool follows) {
  if (kind == sync::v1::CHANGE_KIND_UNSPECIFIED) return;
  changes.push_back({kind, event, follows && kind == sync::v1::CHANGE_KIND_UPDATE});
}

absl::string_view KindName(sync::v1::ChangeKind kind) {
  switch (kind) {
    case sync::v1::CHANGE_KIND_ENTER:
      return "enter";
    case sync::v1::CHANGE_KIND_LEAVE:
      return "leave";
    case sync::v1::CHANGE_KIND_DELETE:
      return "delete";
    default:
      return "update";
  }
}

EventBody BodyOf(const Change& change, SubscriptionPayload payload) {
  if (payload == SubscriptionPayload::kNone || change.kind == sync::v1::CHANGE_KIND_LEAVE ||
      change.kind == sync::v1::CHANGE_KIND_DELETE) {
    return EventBody::kNone;
  }
  return payload == SubscriptionPayload::kPatch && change.follows ? EventBody::kPatch
                                                                  : EventBody::kData;
}

}  // namespace

std::vector<const ConflictNews*> NewsIn(const FeedEvent& event, const EntityFilter& filter,
                                        bool state) {
  std::vector<const ConflictNews*> matching;
  for (const ConflictNews& news : state ? event.conflict->State() : event.conflict->Change()) {
    if (filter.MatchesConflict(news)) matching.push_back(&news);
  }
  return matching;
}

std::vector<Change> EveryChange(absl::Span<const FeedEventPtr> events, const EntityFilter& filter,
                                const View& view) {
  std::vector<Change> changes;
  changes.reserve(events.size());
  for (const FeedEventPtr& event : events) {
    if (!filter.MatchesStream(*event)) continue;
    Add(changes, KindOf(BeforeOf(*event, filter, view), *event, filter), event,
        /*follows=*/event->seq > view.unsure_until);
  }
  return changes;
}

std::vector<Change> LatestChanges(absl::Span<const FeedEventPtr> events, const StreamEnds& ends,
                                  const EntityFilter& filter, const View& view) {
  std::vector<Change> changes;
  changes.reserve(events.size());
  for (const FeedEventPtr& event : events) {
    if (!filter.MatchesStream(*event)) continue;
    const FeedEvent& first = ends.FirstOf(*event);
    Add(changes, KindOf(BeforeOf(first, filter, view), *event, filter), event,
        /*follows=*/&first == event.get() && first.seq > view.unsure_until);
  }
  return changes;
}

std::vector<Change> StoredLatestChanges(absl::Span<const FeedEventPtr> events,
                                        const EntityFilter& filter, int64_t base,
                                        int64_t whole_until) {
  std::vector<Change> changes;
  changes.reserve(events.size());
  for (const FeedEventPtr& event : events) {
    if (!filter.MatchesStream(*event)) continue;
    const bool was = WasInView(*event, filter);
    // Between a first and a second version there is none that could have been left out.
    const bool known = event->revision <= 2;
    const Before before{event->first_seq <= base && (was || !known),
                        event->first_seq > whole_until || !was};
    Add(changes, KindOf(before, *event, filter), event, /*follows=*/false);
  }
  return changes;
}

ChangeBatch::ChangeBatch(absl::string_view space, int64_t from, entity::Cursor cursor,
                         std::vector<Change> changes)
    : space_(space),
      from_(from),
      to_(cursor.seq),
      cursor_(entity::EncodeCursor(cursor)),
      changes_(std::move(changes)) {}

ChangeBatch::ChangeBatch(absl::string_view space, int64_t from, entity::Cursor cursor,
                         FeedEventPtr event, std::vector<const ConflictNews*> news)
    : space_(space),
      from_(from),
      to_(cursor.seq),
      cursor_(entity::EncodeCursor(cursor)),
      event_(std::move(event)),
      news_(std::move(news)) {}

void ChangeBatch::ForEachFrame(absl::string_view subscription_id, SubscriptionPayload payload,
                               bool caught_up,
                               absl::FunctionRef<void(const SharedFrame&)> use) const {
  const auto made = std::find_if(frames_.begin(), frames_.end(), [&](const MadeFrames& frames) {
    return frames.payload == payload && frames.caught_up == caught_up &&
           frames.subscription_id == subscription_id;
  });
  if (made != frames_.end()) {
    for (const SharedFrame& frame : made->frames) use(frame);
    return;
  }
  const std::vector<SharedFrame> frames = news_.empty()
                                              ? MakeFrames(subscription_id, payload, caught_up)
                                              : MakeNewsFrames(subscription_id);
  if (frames_.size() < kFramesRememberedMax) {
    frames_.push_back({std::string(subscription_id), payload, caught_up, frames});
  }
  for (const SharedFrame& frame : frames) use(frame);
}

std::vector<SharedFrame> ChangeBatch::MakeFrames(absl::string_view subscription_id,
                                                 SubscriptionPayload payload,
                                                 bool caught_up) const {
  std::string prefix = "{\"type\":\"changes\",\"subscription_id\":";
  json::AppendQuoted(subscription_id, prefix);
  return {MakeTextFrame(prefix, Body(payload),
                        caught_up ? ",\"caught_up\":true}" : ",\"caught_up\":false}")};
}

std::vector<SharedFrame> ChangeBatch::MakeNewsFrames(absl::string_view subscription_id) const {
  std::vector<SharedFrame> frames;
  frames.reserve(news_.size());
  for (const ConflictNews* news : news_) {
    std::string prefix =
        absl::StrCat("{\"type\":\"", news->opened ? "conflict_opened" : "conflict_closed",
                     "\",\"subscription_id\":");
    json::AppendQuoted(subscription_id, prefix);
    if (news == news_.back()) absl::StrAppend(&prefix, ",\"cursor\":\"", cursor_, "\"");
    frames.push_back(MakeTextFrame(prefix, news->tail, ""));
  }
  return frames;
}

const std::string& ChangeBatch::Body(SubscriptionPayload payload) const {
  std::string& body = bodies_[static_cast<size_t>(payload)];
  if (!body.empty()) return body;
  body = ",\"space\":";
  json::AppendQuoted(space_, body);
  body += ",\"events\":[";
  bool first = true;
  for (const Change& change : changes_) {
    absl::StrAppend(&body, first ? "" : ",", "{\"seq\":", change.event->seq, ",\"kind\":\"",
                    KindName(change.kind), change.event->RenderedTail(BodyOf(change, payload)));
    first = false;
  }
  absl::StrAppend(&body, "],\"cursor\":\"", cursor_, "\"");
  return body;
}

}  // namespace bdcsync::gateway
