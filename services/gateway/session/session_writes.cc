// Operations: sync_request and sync_batch.
#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/base/ids.h"
#include "services/gateway/protocol/checked_batch.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/operations.h"

namespace bdcsync::gateway {
namespace {

using common::v1::Operation;
using sync::v1::OperationResult;

// Behind the parser an error names a field of its operation; its path leads there from the message.
void SetPathFromBatch(size_t place, OperationResult& result) {
  if (!result.has_error() || result.error().path().empty()) return;
  std::string& path = *result.mutable_error()->mutable_path();
  path = absl::StrCat("/operations/", place, path.front() == '/' ? "" : "/", path);
}

}  // namespace

void ClientSession::FillIn(Operation& operation) {
  OwnSpaceIfEmpty(*operation.mutable_entity()->mutable_space());
  if (operation.entity().branch().empty()) operation.mutable_entity()->set_branch("main");
  if (operation.op_id().empty()) {
    operation.set_op_id(MakeTimeOrderedUuid(services_.clock.Now(), services_.random));
  }
}

void ClientSession::Sync(const ClientMessage& message, SyncRequest& request) {
  FillIn(request.operation);
  const AnswerOrder::Keys keys = {EntityKeyHash(request.operation.entity())};
  const Pending pending = Open(message, keys);
  BeginWrites(keys);
  std::vector<Operation> operations;
  operations.push_back(std::move(request.operation));
  services_.operations.Submit(
      caller_, std::move(operations), SubmitOptions{.request_id = message.id},
      OnLoop([pending, keys](ClientSession& self, std::vector<OperationResult> results) {
        self.services_.metrics.CountErrors(results);
        self.Answer(pending, SyncResponseMessage(pending.id, results.front()));
        self.EndWrites(keys);
      }));
}

void ClientSession::RefuseSync(ClientMessage& message) {
  Operation& operation = message.refused_operation;
  if (caller_ != nullptr) FillIn(operation);
  const Pending pending = Open(message, {EntityKeyHash(operation.entity())});
  services_.metrics.CountError(ReasonOf(message.request.status()));
  Answer(pending,
         SyncResponseMessage(message.id, RejectedResult(operation, message.request.status())));
}

void ClientSession::SyncBatch(const ClientMessage& message, SyncBatchRequest& request) {
  AnswerOrder::Keys keys;
  for (SyncBatchRequest::Item& item : request.items) {
    FillIn(item.operation);
    keys.push_back(EntityKeyHash(item.operation.entity()));
  }
  const Pending pending = Open(message, keys);
  CheckedBatch batch = CheckBatch(std::move(request.items), request.atomic);
  if (batch.operations.empty()) {
    services_.metrics.CountErrors(batch.results);
    Answer(pending, SyncBatchResponseMessage(message.id, request.atomic, batch.results));
    return;
  }
  BeginWrites(keys);
  std::vector<Operation> operations = std::move(batch.operations);
  services_.operations.Submit(
      caller_, std::move(operations), SubmitOptions{true, request.atomic, message.id},
      OnLoop([pending, keys, atomic = request.atomic, batch = std::move(batch)](
                 ClientSession& self, std::vector<OperationResult> results) mutable {
        for (size_t i = 0; i < results.size() && i < batch.places.size(); ++i) {
          SetPathFromBatch(batch.places[i], results[i]);
          batch.results[batch.places[i]] = std::move(results[i]);
        }
        self.services_.metrics.CountErrors(batch.results);
        self.Answer(pending, SyncBatchResponseMessage(pending.id, atomic, batch.results));
        self.EndWrites(keys);
      }));
}

void ClientSession::BeginWrites(const AnswerOrder::Keys& entities) {
  for (const uint64_t entity : entities) ++writes_[entity].under_way;
}

void ClientSession::EndWrites(const AnswerOrder::Keys& entities) {
  for (const uint64_t entity : entities) {
    const auto entry = writes_.find(entity);
    if (--entry->second.under_way > 0) continue;
    std::vector<Loop::Task> reads = std::move(entry->second.reads);
    writes_.erase(entry);
    for (Loop::Task& read : reads) std::move(read)();
  }
}

void ClientSession::AfterWrites(uint64_t entity, Loop::Task read) {
  const auto entry = writes_.find(entity);
  if (entry == writes_.end()) {
    std::move(read)();
  } else {
    entry->second.reads.push_back([trace = CallScope::Current(), read = std::move(read)]() mutable {
      const CallScope scope(std::move(trace));
      std::move(read)();
    });
  }
}

}  // namespace bdcsync::gateway
