#include "services/gateway/pipeline/entity_reader.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/entity/conflict_name.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "services/gateway/feed/feed_event.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

absl::Status MayRead(const Caller& caller, absl::string_view space) {
  RETURN_IF_ERROR(entity::ValidateSpace(space));
  if (AccessTo(caller, space) != Access::kNone) return absl::OkStatus();
  return MakeErrorAt(Reason::kNotFound, "space", "there is no such entity");
}

// Fills in what was left out, then checks names and access.
absl::Status Prepare(const Caller& caller, common::v1::EntityKey& key) {
  if (key.space().empty()) key.set_space(OwnSpace(caller));
  if (key.branch().empty()) key.set_branch(std::string(entity::kMainBranch));
  RETURN_IF_ERROR(entity::ValidateKey(entity::ViewOf(key)));
  return MayRead(caller, key.space());
}

// Copies the answer of the version service into that of SyncService, which says the same.
template <typename To, typename From, typename Done, typename Copy>
auto Translate(Done done, Copy copy) {
  return [done = std::move(done), copy](absl::StatusOr<From> from) mutable {
    if (!from.ok()) {
      done(from.status());
      return;
    }
    done(copy(*std::move(from)));
  };
}

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
  std::string space;
  absl::flat_hash_set<std::string> entity_types;
  int32_t limit = 0;
  int64_t after_seq = 0;
  uint64_t epoch = 0;  // Of the page token; 0: any.
  int32_t pages = 0;
  sync::v1::ListEntitiesResponse response;
  Done<sync::v1::ListEntitiesResponse> done;
};

size_t EntityReader::ReplicaOf(absl::string_view space) const {
  return StableHash64(space) % version_.replicas();
}

void EntityReader::GetEntity(std::shared_ptr<const Caller> caller,
                             sync::v1::GetEntityRequest request,
                             Done<sync::v1::GetEntityResponse> done) {
  version::v1::GetEntitiesRequest query;
  *query.add_queries() = std::move(*request.mutable_query());
  common::v1::EntityKey& key = *query.mutable_queries(0)->mutable_entity();
  if (const absl::Status allowed = Prepare(*caller, key); !allowed.ok()) {
    done(allowed);
    return;
  }
  const size_t replica = ReplicaOf(key.space());
  using Response = version::v1::GetEntitiesResponse;
  version_.GetEntities(
      replica, std::move(query),
      [done = std::move(done)](absl::StatusOr<Response> response) mutable {
        if (!response.ok()) {
          done(response.status());
        } else if (response->entities_size() != 1) {
          done(MakeError(Reason::kInternal, "the version service left the entity out"));
        } else if (response->entities(0).has_error()) {
          done(StatusOf(response->entities(0).error()));
        } else {
          sync::v1::GetEntityResponse answer;
          *answer.mutable_entity() = std::move(*response->mutable_entities(0));
          done(std::move(answer));
        }
      });
}

void EntityReader::GetHistory(std::shared_ptr<const Caller> caller,
                              sync::v1::GetHistoryRequest request,
                              Done<sync::v1::GetHistoryResponse> done) {
  if (const absl::Status allowed = Prepare(*caller, *request.mutable_entity()); !allowed.ok()) {
    done(allowed);
    return;
  }
  version::v1::GetHistoryRequest query;
  *query.mutable_entity() = std::move(*request.mutable_entity());
  query.set_page_token(std::move(*request.mutable_page_token()));
  query.set_limit(request.limit());
  const size_t replica = ReplicaOf(query.entity().space());
  version_.GetHistory(replica, std::move(query),
                      Translate<sync::v1::GetHistoryResponse, version::v1::GetHistoryResponse>(
                          std::move(done), [](version::v1::GetHistoryResponse from) {
                            sync::v1::GetHistoryResponse to;
                            to.mutable_versions()->Swap(from.mutable_versions());
                            to.set_next_page_token(std::move(*from.mutable_next_page_token()));
                            return to;
                          }));
}

void EntityReader::Diff(std::shared_ptr<const Caller> caller, sync::v1::DiffRequest request,
                        Done<sync::v1::DiffResponse> done) {
  if (const absl::Status allowed = Prepare(*caller, *request.mutable_entity()); !allowed.ok()) {
    done(allowed);
    return;
  }
  version::v1::DiffRequest query;
  *query.mutable_entity() = std::move(*request.mutable_entity());
  query.set_from_version_id(std::move(*request.mutable_from_version_id()));
  query.set_to_version_id(std::move(*request.mutable_to_version_id()));
  const size_t replica = ReplicaOf(query.entity().space());
  version_.Diff(replica, std::move(query),
                Translate<sync::v1::DiffResponse, version::v1::DiffResponse>(
                    std::move(done), [](version::v1::DiffResponse from) {
                      sync::v1::DiffResponse to;
                      to.set_changes(std::move(*from.mutable_changes()));
                      return to;
                    }));
}

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
  if (!request.page_token().empty()) {
    const auto token = entity::DecodeCursor(request.page_token());
    if (!token.has_value()) {
      done(MakeErrorAt(Reason::kInvalidArgument, "page_token", "this is not a page token"));
      return;
    }
    listing->after_seq = token->seq;
    listing->epoch = token->epoch;
  }
  listing->limit = request.limit() == 0 ? limits_.list_entities_default : request.limit();
  listing->entity_types.insert(request.entity_types().begin(), request.entity_types().end());
  listing->done = std::move(done);
  ListPage(std::move(listing));
}

void EntityReader::ListPage(std::shared_ptr<Listing> listing) {
  event_store::v1::ReadSpaceRequest request;
  request.set_space(listing->space);
  request.set_after_seq(listing->after_seq);
  request.set_mode(event_store::v1::SPACE_READ_MODE_LATEST);
  request.set_limit(listing->limit - listing->response.entities_size());
  request.set_bytes_max(limits_.list_bytes_max);
  request.set_without_tombstones(true);
  request.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  ++listing->pages;
  events_.ReadSpace(std::move(request),
                    [this, listing = std::move(listing)](
                        absl::StatusOr<event_store::v1::ReadSpaceResponse> page) {
                      OnListPage(listing, std::move(page));
                    });
}

void EntityReader::OnListPage(const std::shared_ptr<Listing>& listing,
                              absl::StatusOr<event_store::v1::ReadSpaceResponse> page) {
  if (!page.ok()) {
    listing->done(page.status());
    return;
  }
  if (listing->epoch != 0 && listing->epoch != page->epoch()) {
    listing->done(MakeErrorAt(Reason::kInvalidArgument, "page_token",
                              "the history that it belongs to is lost: list from the start"));
    return;
  }
  for (event_store::v1::Event& stored : *page->mutable_events()) {
    const FeedEvent event(std::move(stored));
    if (!event.entity || event.tombstone || event.branch != entity::kMainBranch) continue;
    if (!listing->entity_types.empty() && !listing->entity_types.contains(event.entity_type)) {
      continue;
    }
    *listing->response.add_entities() = StateOf(event, listing->space);
  }
  const bool at_end =
      page->next_seq() >= page->head_seq() || page->next_seq() <= listing->after_seq;
  listing->after_seq = page->next_seq();
  listing->epoch = page->epoch();
  const bool full = listing->response.entities_size() >= listing->limit;
  if (!at_end && !full && listing->pages < limits_.list_pages_max) {
    ListPage(listing);
    return;
  }
  if (!at_end) {
    listing->response.set_next_page_token(
        entity::EncodeCursor({listing->epoch, listing->after_seq}));
  }
  AddConflicts(listing);
}

void EntityReader::AddConflicts(const std::shared_ptr<Listing>& listing) {
  if (listing->response.entities().empty()) {
    listing->done(std::move(listing->response));
    return;
  }
  event_store::v1::ReadHeadsRequest request;
  request.set_without_data(true);
  for (const version::v1::EntityState& state : listing->response.entities()) {
    event_store::v1::StreamKey& stream = *request.add_streams();
    stream.set_space(listing->space);
    stream.set_name(entity::ConflictsStreamName(entity::ViewOf(state.entity())));
  }
  using Response = event_store::v1::ReadHeadsResponse;
  events_.ReadHeads(std::move(request), [listing](const absl::StatusOr<Response>& heads) {
    if (!heads.ok()) {
      listing->done(heads.status());
      return;
    }
    auto& entities = *listing->response.mutable_entities();
    if (heads->heads_size() != entities.size()) {
      listing->done(MakeError(Reason::kInternal, "the event store left heads out"));
      return;
    }
    for (int i = 0; i < entities.size(); ++i) {
      const event_store::v1::Head& head = heads->heads(i);
      entities[i].set_has_conflict(head.has_event() && !head.event().tombstone());
    }
    listing->done(std::move(listing->response));
  });
}

}  // namespace bdcsync::gateway
