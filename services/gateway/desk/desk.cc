// Conflicts and records; the rules are in desk_rules.cc, closing in desk_closing.cc.
#include "services/gateway/desk/desk.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "services/gateway/desk/conflict_access.h"
#include "services/gateway/pipeline/actor.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

// The space, or the caller's own where it was left out; checked by name.
absl::StatusOr<std::string> SpaceOf(const Caller& caller, const std::string& space) {
  if (space.empty()) return OwnSpace(caller);
  RETURN_IF_ERROR(entity::ValidateSpace(space));
  return space;
}

absl::StatusOr<std::string> ReadableSpace(const Caller& caller, const std::string& space) {
  ASSIGN_OR_RETURN(std::string named, SpaceOf(caller, space));
  RETURN_IF_ERROR(MayReadSpace(caller, named));
  return named;
}

}  // namespace

size_t Desk::ReplicaOf(absl::string_view space) const {
  return StableHash64(space) % versions_.replicas();
}

absl::Status Desk::TakeRate(const Caller& caller, size_t count) {
  return rates_.Take(absl::StrCat(caller.user_id, "\n", caller.device_id), count);
}

void Desk::Find(CallerPtr caller, const std::string& conflict_id, Check allows,
                Done<conflict::v1::Conflict> done) {
  conflict::v1::GetConflictsRequest request;
  request.add_conflict_ids(conflict_id);
  using Response = conflict::v1::GetConflictsResponse;
  records_.GetConflicts(
      std::move(request), [caller = std::move(caller), allows,
                           done = std::move(done)](absl::StatusOr<Response> response) mutable {
        if (!response.ok()) return done(response.status());
        if (response->conflicts_size() != 1) {
          return done(MakeError(Reason::kInternal, "the conflict service left the conflict out"));
        }
        conflict::v1::ConflictOrError& found = *response->mutable_conflicts(0);
        if (found.has_error()) return done(StatusOf(found.error()));
        if (absl::Status allowed = allows(*caller, found.conflict()); !allowed.ok()) {
          return done(std::move(allowed));
        }
        done(std::move(*found.mutable_conflict()));
      });
}

void Desk::ListConflicts(CallerPtr caller, sync::v1::ListConflictsRequest request,
                         Done<sync::v1::ListConflictsResponse> done) {
  auto space = ReadableSpace(*caller, request.space());
  if (!space.ok()) return done(space.status());
  conflict::v1::ListConflictsRequest query;
  query.set_space(*std::move(space));
  query.mutable_states()->Swap(request.mutable_states());
  query.set_entity_type(request.entity_type());
  query.set_entity_id(request.entity_id());
  query.set_assigned_to(request.assigned_to());
  query.set_page_token(request.page_token());
  query.set_limit(request.limit());
  using Response = conflict::v1::ListConflictsResponse;
  records_.ListConflicts(std::move(query),
                         [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                           if (!from.ok()) return done(from.status());
                           sync::v1::ListConflictsResponse to;
                           to.mutable_conflicts()->Swap(from->mutable_conflicts());
                           to.set_next_page_token(from->next_page_token());
                           done(std::move(to));
                         });
}

void Desk::GetConflict(CallerPtr caller, sync::v1::GetConflictRequest request,
                       Done<sync::v1::GetConflictResponse> done) {
  version::v1::ViewConflictsRequest query;
  version::v1::ViewItem& item = *query.add_items();
  item.set_conflict_id(request.conflict_id());
  item.mutable_choices()->Swap(request.mutable_choices());
  auto view = [this, query = std::move(query),
               done = std::move(done)](absl::StatusOr<conflict::v1::Conflict> conflict) mutable {
    if (!conflict.ok()) return done(conflict.status());
    using Response = version::v1::ViewConflictsResponse;
    versions_.ViewConflicts(
        ReplicaOf(conflict->entity().space()), std::move(query),
        [done = std::move(done)](absl::StatusOr<Response> response) mutable {
          if (!response.ok()) return done(response.status());
          if (response->views_size() != 1) {
            return done(MakeError(Reason::kInternal, "the version service left the view out"));
          }
          version::v1::ConflictView& found = *response->mutable_views(0);
          if (found.has_error()) return done(StatusOf(found.error()));
          sync::v1::GetConflictResponse answer;
          *answer.mutable_view() = std::move(found);
          done(std::move(answer));
        });
  };
  Find(std::move(caller), request.conflict_id(), MayLook, std::move(view));
}

void Desk::AssignConflict(CallerPtr caller, sync::v1::AssignConflictRequest request,
                          Done<sync::v1::AssignConflictResponse> done) {
  absl::Status valid = TakeRate(*caller, 1);
  if (valid.ok() && !request.user_id().empty() &&
      !entity::ValidateSpace(absl::StrCat("user:", request.user_id())).ok()) {
    valid = MakeErrorAt(Reason::kInvalidArgument, "user_id", "this cannot be a user");
  }
  if (!valid.ok()) return done(valid);
  const std::string conflict_id = request.conflict_id();
  Find(caller, conflict_id, MayLook,
       [this, caller, request = std::move(request),
        done = std::move(done)](const absl::StatusOr<conflict::v1::Conflict>& conflict) mutable {
         if (!conflict.ok()) return done(conflict.status());
         if (absl::Status allowed = MayAssign(*caller, *conflict, request.user_id());
             !allowed.ok()) {
           return done(std::move(allowed));
         }
         conflict::v1::AssignRequest assign;
         assign.set_conflict_id(request.conflict_id());
         assign.set_user_id(request.user_id());
         using Response = conflict::v1::AssignResponse;
         records_.Assign(std::move(assign),
                         [done = std::move(done)](absl::StatusOr<Response> assigned) mutable {
                           if (!assigned.ok()) return done(assigned.status());
                           sync::v1::AssignConflictResponse answer;
                           *answer.mutable_conflict() = std::move(*assigned->mutable_conflict());
                           done(std::move(answer));
                         });
       });
}

void Desk::UndoResolution(CallerPtr caller, sync::v1::UndoResolutionRequest request,
                          Done<sync::v1::UndoResolutionResponse> done) {
  auto space = SpaceOf(*caller, request.space());
  if (!space.ok()) return done(space.status());
  absl::Status allowed = MayWriteSpace(*caller, *space);
  if (allowed.ok()) allowed = TakeRate(*caller, 1);
  if (!allowed.ok()) return done(allowed);
  version::v1::UndoResolutionRequest undo;
  undo.set_space(*space);
  undo.set_op_id(request.op_id());
  undo.mutable_paths()->Swap(request.mutable_paths());
  *undo.mutable_actor() = ActorOf(*caller);
  using Response = version::v1::UndoResolutionResponse;
  versions_.UndoResolution(ReplicaOf(*space), std::move(undo),
                           [done = std::move(done)](absl::StatusOr<Response> undone) mutable {
                             if (!undone.ok()) return done(undone.status());
                             sync::v1::UndoResolutionResponse answer;
                             *answer.mutable_entity() = std::move(*undone->mutable_entity());
                             answer.set_version_id(undone->version_id());
                             answer.set_revision(undone->revision());
                             answer.set_cursor(entity::EncodeCursor(
                                 {undone->position().epoch(), undone->position().seq()}));
                             answer.set_data(std::move(*undone->mutable_data()));
                             done(std::move(answer));
                           });
}

void Desk::ListResolutions(CallerPtr caller, sync::v1::ListResolutionsRequest request,
                           Done<sync::v1::ListResolutionsResponse> done) {
  auto space = ReadableSpace(*caller, request.space());
  if (!space.ok()) return done(space.status());
  conflict::v1::ListResolutionsRequest query;
  query.set_space(*std::move(space));
  query.set_entity_type(request.entity_type());
  query.set_entity_id(request.entity_id());
  query.set_page_token(request.page_token());
  query.set_limit(request.limit());
  using Response = conflict::v1::ListResolutionsResponse;
  records_.ListResolutions(std::move(query),
                           [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                             if (!from.ok()) return done(from.status());
                             sync::v1::ListResolutionsResponse to;
                             to.mutable_resolutions()->Swap(from->mutable_resolutions());
                             to.set_next_page_token(from->next_page_token());
                             done(std::move(to));
                           });
}

}  // namespace bdcsync::gateway
