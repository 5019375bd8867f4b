// Reads: get, list, history, diff.
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/reads.h"

namespace bdcsync::gateway {

void ClientSession::Get(const ClientMessage& message, sync::v1::GetEntityRequest& request) {
  common::v1::EntityKey& key = *request.mutable_query()->mutable_entity();
  OwnSpaceIfEmpty(*key.mutable_space());
  const uint64_t entity = EntityKeyHash(key);
  const Pending pending = Open(message, {entity});
  AfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    services_.reads.GetEntity(
        caller_, std::move(request),
        OnLoop([pending](ClientSession& self, absl::StatusOr<sync::v1::GetEntityResponse> answer) {
          if (!answer.ok()) return self.Fail(pending, answer.status());
          self.Answer(pending, EntityMessage(pending.id, answer->entity()));
        }));
  });
}

void ClientSession::List(const ClientMessage& message, sync::v1::ListEntitiesRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_space());
  const Pending pending = Open(message);
  services_.reads.ListEntities(
      caller_, std::move(request),
      OnLoop([pending](ClientSession& self, absl::StatusOr<sync::v1::ListEntitiesResponse> answer) {
        if (!answer.ok()) return self.Fail(pending, answer.status());
        self.Answer(pending, EntitiesMessage(pending.id, *answer));
      }));
}

void ClientSession::History(const ClientMessage& message, sync::v1::GetHistoryRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_entity()->mutable_space());
  const uint64_t entity = EntityKeyHash(request.entity());
  const Pending pending = Open(message, {entity});
  AfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    services_.reads.GetHistory(
        caller_, std::move(request),
        OnLoop([pending](ClientSession& self, absl::StatusOr<sync::v1::GetHistoryResponse> answer) {
          if (!answer.ok()) return self.Fail(pending, answer.status());
          self.Answer(pending, HistoryMessage(pending.id, *answer));
        }));
  });
}

void ClientSession::Diff(const ClientMessage& message, sync::v1::DiffRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_entity()->mutable_space());
  const uint64_t entity = EntityKeyHash(request.entity());
  const Pending pending = Open(message, {entity});
  AfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    services_.reads.Diff(
        caller_, std::move(request),
        OnLoop([pending](ClientSession& self, absl::StatusOr<sync::v1::DiffResponse> answer) {
          if (!answer.ok()) return self.Fail(pending, answer.status());
          self.Answer(pending, DiffMessage(pending.id, *answer));
        }));
  });
}

}  // namespace bdcsync::gateway
