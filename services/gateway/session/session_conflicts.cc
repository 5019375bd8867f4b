// Conflicts: conflicts, resolve_conflict.
#include <utility>

#include "absl/hash/hash.h"
#include "libs/base/errors.h"
#include "services/gateway/protocol/conflict_message.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/conflict_desk.h"
#include "services/gateway/session/metrics.h"

namespace bdcsync::gateway {
namespace {

// Answers about one conflict leave in the order of the requests.
uint64_t ConflictKeyHash(absl::string_view conflict_id) {
  return absl::HashOf("conflict", conflict_id);
}

}  // namespace

void ClientSession::Conflicts(const ClientMessage& message, ConflictsRequest& request) {
  if (!request.one.conflict_id().empty()) {
    const Pending pending = Open(message, {ConflictKeyHash(request.one.conflict_id())});
    Read([this, pending, one = std::move(request.one)]() mutable {
      services_.desk.GetConflict(
          caller_, std::move(one),
          // Only the answer says which space it is of.
          OnRead(OwnSpace(*caller_), [pending](ClientSession& self,
                                               absl::StatusOr<sync::v1::GetConflictResponse> view) {
            if (!view.ok()) return self.Fail(pending, view.status());
            const std::string& space = view->view().conflict().entity().space();
            if (absl::Status still = self.CheckAccess(space); !still.ok()) {
              return self.Fail(pending, still);
            }
            self.Answer(pending, ConflictViewMessage(pending.id, view->view()));
          }));
    });
    return;
  }
  OwnSpaceIfEmpty(*request.list.mutable_space());
  const auto list = [this](const Pending& pending, sync::v1::ListConflictsRequest query) {
    Read([this, pending, query = std::move(query)]() mutable {
      const std::string space = query.space();
      services_.desk.ListConflicts(
          caller_, std::move(query),
          OnRead(space, [pending](ClientSession& self,
                                  absl::StatusOr<sync::v1::ListConflictsResponse> page) {
            if (!page.ok()) return self.Fail(pending, page.status());
            self.Answer(pending, ConflictsMessage(pending.id, *page));
          }));
    });
  };
  if (request.list.entity_id().empty()) return list(Open(message), std::move(request.list));
  common::v1::EntityKey key;
  key.set_space(request.list.space());
  key.set_entity_type(request.list.entity_type());
  key.set_entity_id(request.list.entity_id());
  const uint64_t entity = EntityKeyHash(key);
  const Pending pending = Open(message, {entity});
  AfterWrites(entity, [list, pending, query = std::move(request.list)]() mutable {
    list(pending, std::move(query));
  });
}

void ClientSession::ResolveConflict(const ClientMessage& message, ResolveConflictRequest& request) {
  const std::string conflict_id = request.decision.conflict_id();
  const Pending pending = Open(message, {ConflictKeyHash(conflict_id)});
  sync::v1::DecideConflictsRequest decide;
  *decide.add_decisions() = std::move(request.decision);
  services_.desk.DecideConflicts(
      caller_, std::move(decide),
      OnLoop([pending, conflict_id](ClientSession& self,
                                    absl::StatusOr<sync::v1::DecideConflictsResponse> answer) {
        sync::v1::DecideResult result;
        if (!answer.ok()) {
          *result.mutable_error() = ErrorOf(answer.status());
        } else if (answer->results_size() == 1) {
          result = std::move(*answer->mutable_results(0));
        } else {
          *result.mutable_error() =
              ErrorOf(MakeError(Reason::kInternal, "the decision was left out"));
        }
        if (result.has_error()) {
          self.services_.metrics.CountError(
              ReasonFromName(result.error().code()).value_or(Reason::kInternal));
        }
        self.Answer(pending, ConflictResolvedMessage(pending.id, conflict_id, result));
      }));
}

}  // namespace bdcsync::gateway
