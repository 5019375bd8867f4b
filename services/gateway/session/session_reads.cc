// Reads: get, list, history, diff. A few of a session run at once and none while too much waits to
// leave, since an answer is as long as what it tells of: the others wait for their turn.
#include <utility>

#include "libs/base/call_trace.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/reads.h"

namespace bdcsync::gateway {

void ClientSession::Read(Loop::Task read) {
  if (MayRead()) {
    ++reads_under_way_;
    std::move(read)();
    return;
  }
  services_.metrics.reads_waited.Add();
  waiting_reads_.push_back([trace = CallScope::Current(), read = std::move(read)]() mutable {
    const CallScope scope(std::move(trace));
    std::move(read)();
  });
}

void ClientSession::ReadAfterWrites(uint64_t entity, Loop::Task read) {
  AfterWrites(entity, [this, read = std::move(read)]() mutable { Read(std::move(read)); });
}

bool ClientSession::MayRead() const {
  if (connection_ == nullptr || connection_->congested()) return false;
  if (reads_under_way_ == 0) return true;  // Answers that are held may wait for this one.
  return reads_under_way_ < services_.options.reads_at_once_max &&
         order_.held_bytes() <= services_.options.held_answer_bytes_max;
}

void ClientSession::StartWaitingReads() {
  while (!waiting_reads_.empty() && MayRead()) {
    ++reads_under_way_;
    Loop::Task read = std::move(waiting_reads_.front());
    waiting_reads_.pop_front();
    std::move(read)();
  }
}

void ClientSession::Get(const ClientMessage& message, sync::v1::GetEntityRequest& request) {
  common::v1::EntityKey& key = *request.mutable_query()->mutable_entity();
  OwnSpaceIfEmpty(*key.mutable_space());
  const uint64_t entity = EntityKeyHash(key);
  const Pending pending = Open(message, {entity});
  ReadAfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    const std::string space = request.query().entity().space();
    services_.reads.GetEntity(
        caller_, std::move(request),
        OnRead(space,
               [pending](ClientSession& self, absl::StatusOr<sync::v1::GetEntityResponse> answer) {
                 if (!answer.ok()) return self.Fail(pending, answer.status());
                 self.Answer(pending, EntityMessage(pending.id, answer->entity()));
               }));
  });
}

void ClientSession::List(const ClientMessage& message, sync::v1::ListEntitiesRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_space());
  const Pending pending = Open(message);
  Read([this, pending, request = std::move(request)]() mutable {
    const std::string space = request.space();
    services_.reads.ListEntities(
        caller_, std::move(request),
        OnRead(space, [pending](ClientSession& self,
                                absl::StatusOr<sync::v1::ListEntitiesResponse> answer) {
          if (!answer.ok()) return self.Fail(pending, answer.status());
          self.Answer(pending, EntitiesMessage(pending.id, *answer));
        }));
  });
}

void ClientSession::History(const ClientMessage& message, sync::v1::GetHistoryRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_entity()->mutable_space());
  const uint64_t entity = EntityKeyHash(request.entity());
  const Pending pending = Open(message, {entity});
  ReadAfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    const std::string space = request.entity().space();
    services_.reads.GetHistory(
        caller_, std::move(request),
        OnRead(space,
               [pending](ClientSession& self, absl::StatusOr<sync::v1::GetHistoryResponse> answer) {
                 if (!answer.ok()) return self.Fail(pending, answer.status());
                 self.Answer(pending, HistoryMessage(pending.id, *answer));
               }));
  });
}

void ClientSession::Diff(const ClientMessage& message, sync::v1::DiffRequest& request) {
  OwnSpaceIfEmpty(*request.mutable_entity()->mutable_space());
  const uint64_t entity = EntityKeyHash(request.entity());
  const Pending pending = Open(message, {entity});
  ReadAfterWrites(entity, [this, pending, request = std::move(request)]() mutable {
    const std::string space = request.entity().space();
    services_.reads.Diff(caller_, std::move(request),
                         OnRead(space, [pending](ClientSession& self,
                                                 absl::StatusOr<sync::v1::DiffResponse> answer) {
                           if (!answer.ok()) return self.Fail(pending, answer.status());
                           self.Answer(pending, DiffMessage(pending.id, *answer));
                         }));
  });
}

}  // namespace bdcsync::gateway
