#include "services/gateway/pipeline/entity_reader.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {

absl::Status MayRead(const Caller& caller, absl::string_view space) {
  RETURN_IF_ERROR(entity::ValidateSpace(space));
  if (AccessTo(caller, space) != Access::kNone) return absl::OkStatus();
  return MakeErrorAt(Reason::kNotFound, "space", "there is no such entity");
}

namespace {

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

}  // namespace

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

}  // namespace bdcsync::gateway
