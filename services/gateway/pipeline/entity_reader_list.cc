// The part of EntityReader that lists: the living entities of a space, from pages of its log.
#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/entity/conflict_name.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "services/gateway/feed/feed_event.h"
#include "services/gateway/pipeline/entity_reader.h"

namespace bdcsync::gateway {
namespace {

using event_store::v1::ReadSpaceRequest;
using event_store::v1::ReadSpaceResponse;

// When few rows of a page are wanted, the next page has so many times its rows.
constexpr int32_t kRowsGrowth = 4;

version::v1::EntityState StateOf(const FeedEvent& event, absl::string_view space) {
  version::v1::EntityState state;
  state.mutable_entity()->set_space(std::string(space));
  state.mutable_entity()->set_entity_type(std::string(event.entity_type));
  state.mutable_entity()->set_entity_id(std::string(event.entity_id));
  state.mutable_entity()->set_branch(std::string(event.branch));
  state.set_version_id(event.version_id);
  state.set_revision(event.revision);
  state.set_data(event.data);
  state.set_category(event.meta.category());
  state.set_time_ms(event.time_ms);
  return state;
}

}  // namespace

struct EntityReader::Listing {
  bool Wants(const FeedEvent& event) const {
    return event.entity && !event.tombstone && event.branch == entity::kMainBranch &&
           (entity_types.empty() || entity_types.contains(event.entity_type));
  }
  bool IsFull() const { return response.entities_size() >= limit; }
  // What the token of a page ends with: it goes on with the list that it was made for, no other.
  std::string TokenEnd() const {
    uint64_t asked = StableHash64(space);
    for (const std::string& type : entity_types) asked = StableHash64(type, asked);
    return absl::StrCat(".", absl::Hex(asked, absl::kZeroPad16));
  }

  std::string space;
  absl::btree_set<std::string> entity_types;
  int32_t limit = 0;
  int64_t after_seq = 0;
  uint64_t epoch = 0;  // Of the page token; 0: any.
  int32_t rows = 0;    // Of the next page of the log.
  int32_t pages = 0;
  int64_t bytes = 0;  // Of the data in the answer.
  sync::v1::ListEntitiesResponse response;
  Done<sync::v1::ListEntitiesResponse> done;
};

void EntityReader::ListEntities(std::shared_ptr<const Caller> caller,
                                sync::v1::ListEntitiesRequest request,
                                Done<sync::v1::ListEntitiesResponse> done) {
  auto listing = std::make_shared<Listing>();
  listing->space = request.space().empty() ? OwnSpace(*caller) : request.space();
  if (const absl::Status allowed = MayRead(*caller, listing->space); !allowed.ok()) {
    done(allowed);
    return;
  }
  if (request.limit() < 0 || request.limit() > limits_.list_entities_max) {
    done(MakeErrorAt(Reason::kInvalidArgument, "limit",
                     absl::StrCat("1 to ", limits_.list_entities_max)));
    return;
  }
  listing->entity_types.insert(request.entity_types().begin(), request.entity_types().end());
  if (absl::string_view token = request.page_token(); !token.empty()) {
    const bool of_this_list = absl::ConsumeSuffix(&token, listing->TokenEnd());
    const auto place = of_this_list ? entity::DecodeCursor(token) : std::nullopt;
    if (!place.has_value()) {
      done(MakeErrorAt(Reason::kInvalidArgument, "page_token",
                       "this is not a page token of this space and these entity_types"));
      return;
    }
    listing->after_seq = place->seq;
    listing->epoch = place->epoch;
  }
  listing->limit = request.limit() == 0 ? limits_.list_entities_default : request.limit();
  listing->rows = listing->limit + 1;  // One more tells whether there is more.
  listing->done = std::move(done);
  ListPage(std::move(listing));
}

void EntityReader::ListPage(std::shared_ptr<Listing> listing) {
  ReadSpaceRequest request;
  request.set_space(listing->space);
  request.set_after_seq(listing->after_seq);
  request.set_mode(event_store::v1::SPACE_READ_MODE_LATEST);
  request.set_limit(listing->rows);
  // Without a filter most rows are wanted: no more than there is room for.
  request.set_bytes_max(listing->entity_types.empty()
                            ? std::clamp(limits_.list_bytes_max - listing->bytes, int64_t{1},
                                         limits_.log_page_bytes_max)
                            : limits_.log_page_bytes_max);
  request.set_without_tombstones(true);
  request.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  ++listing->pages;
  listing->rows = std::min(listing->rows * kRowsGrowth, limits_.log_page_rows_max);
  events_.ReadSpace(std::move(request),
                    [this, listing = std::move(listing)](absl::StatusOr<ReadSpaceResponse> page) {
                      OnListPage(listing, std::move(page));
                    });
}

void EntityReader::OnListPage(const std::shared_ptr<Listing>& listing,
                              absl::StatusOr<ReadSpaceResponse> page) {
  if (!page.ok()) {
    listing->done(page.status());
    return;
  }
  if (listing->epoch != 0 && listing->epoch != page->epoch()) {
    listing->done(MakeErrorAt(Reason::kInvalidArgument, "page_token",
                              "the history that it belongs to is lost: list from the start"));
    return;
  }
  listing->epoch = page->epoch();
  const bool last_page =
      page->next_seq() >= page->head_seq() || page->next_seq() <= listing->after_seq;
  // It is known that there is more when something does not fit any more.
  const bool all_taken = TakeRows(*listing, *page);
  if (all_taken) listing->after_seq = page->next_seq();
  if (all_taken && !last_page && listing->pages < limits_.list_pages_max) {
    ListPage(listing);
    return;
  }
  if (!all_taken || !last_page) {
    if (!listing->IsFull()) {
      (all_taken ? metrics_.lists_cut_by_rows : metrics_.lists_cut_by_bytes).Add();
    }
    listing->response.set_next_page_token(absl::StrCat(
        entity::EncodeCursor({listing->epoch, listing->after_seq}), listing->TokenEnd()));
  }
  AddConflicts(listing, 0, listing->response.entities_size());
}

// Takes the entities that are wanted and still fit; false when one does not, which is for the next
// answer. `after_seq` follows what was looked at.
bool EntityReader::TakeRows(Listing& listing, ReadSpaceResponse& page) const {
  for (event_store::v1::Event& stored : *page.mutable_events()) {
    const FeedEvent event(std::move(stored));
    if (listing.Wants(event)) {
      const auto bytes = static_cast<int64_t>(event.data.size());
      const bool fits =
          listing.response.entities().empty() || listing.bytes + bytes <= limits_.list_bytes_max;
      if (listing.IsFull() || !fits) return false;
      *listing.response.add_entities() = StateOf(event, listing.space);
      listing.bytes += bytes;
    }
    listing.after_seq = event.seq;
  }
  return true;
}

void EntityReader::AddConflicts(const std::shared_ptr<Listing>& listing, int begin, int at_once) {
  auto& entities = *listing->response.mutable_entities();
  if (begin == entities.size()) {
    listing->done(std::move(listing->response));
    return;
  }
  const int end = std::min(entities.size(), begin + at_once);
  event_store::v1::ReadHeadsRequest request;
  request.set_without_data(true);
  for (int i = begin; i < end; ++i) {
    event_store::v1::StreamKey& stream = *request.add_streams();
    stream.set_space(listing->space);
    stream.set_name(entity::ConflictsStreamName(entity::ViewOf(entities[i].entity())));
  }
  using Response = event_store::v1::ReadHeadsResponse;
  events_.ReadHeads(std::move(request), [this, listing, begin, end,
                                         at_once](const absl::StatusOr<Response>& heads) {
    if (ReasonOf(heads.status()) == Reason::kTooLarge && end - begin > 1) {
      AddConflicts(listing, begin, (end - begin) / 2);  // Facts have descriptions of any length.
    } else if (!heads.ok()) {
      listing->done(heads.status());
    } else if (heads->heads_size() != end - begin) {
      listing->done(MakeError(Reason::kInternal, "the event store left heads out"));
    } else {
      for (int i = begin; i < end; ++i) {
        const event_store::v1::Head& head = heads->heads(i - begin);
        listing->response.mutable_entities(i)->set_has_conflict(head.has_event() &&
                                                                !head.event().tombstone());
      }
      AddConflicts(listing, end, at_once);
    }
  });
}

}  // namespace bdcsync::gateway
