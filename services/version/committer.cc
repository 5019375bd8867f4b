#include "services/version/committer.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/entity/key_hash.h"
#include "libs/rpc/status.h"
#include "services/version/conflict_facts.h"

namespace bdcsync::version {
namespace {

// What an operation costs a batch beside its data.
constexpr size_t kOperationBytes = 256;
constexpr absl::Duration kQueueFullRetryAfter = absl::Milliseconds(200);

size_t BytesOf(const PendingOperation& pending) {
  const common::v1::Operation& operation = pending.operation();
  return kOperationBytes + operation.data().size() + operation.patch().size() +
         operation.text().size();
}

using Lanes = rpc::LaneBatcher<PendingOperation>::Lanes;

Lanes LanesOf(const std::vector<PendingOperation>& group) {
  Lanes lanes;
  for (const PendingOperation& pending : group) {
    lanes.push_back(entity::HashOf(entity::ViewOf(pending.operation().entity())));
  }
  return lanes;
}

absl::Status Validate(const PendingOperation& pending) {
  RETURN_IF_ERROR(entity::ValidateKey(entity::ViewOf(pending.operation().entity())));
  if (pending.own || !IsReservedOperationId(pending.operation().op_id())) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, "op_id", "such an op_id is not for clients");
}

// Of an atomic group: as above, and that it is of the group's space.
absl::Status ValidateMember(const PendingOperation& pending, absl::string_view space) {
  RETURN_IF_ERROR(Validate(pending));
  if (pending.operation().entity().space() == space) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, "space", "an atomic batch is of one space");
}

}  // namespace

struct Committer::Segments {
  std::vector<Group> groups;
  size_t next = 0;
  absl::AnyInvocable<void()> done;
};

Committer::Committer(EventLog& log, Resolver& resolver, FactRecorder& facts, HeadCache& cache,
                     Random& random, CommitObserver& observer, CommitLimits limits)
    : limits_(limits),
      tools_{.log = log,
             .resolver = resolver,
             .cache = cache,
             .random = random,
             .observer = observer,
             .facts = facts,
             .limits = limits_},
      batcher_({.in_flight_max = limits.batches_in_flight_max,
                .batch_items_max = limits.batch_items_max,
                .batch_bytes_max = limits.batch_bytes_max,
                .queued_items_max = limits.queue_items_max},
               BytesOf,
               [this](std::vector<PendingOperation> batch, absl::AnyInvocable<void()> done) {
                 Send(std::move(batch), std::move(done));
               }) {}

absl::Status Committer::Commit(const v1::CommitRequest& request, v1::CommitResponse& response,
                               absl::AnyInvocable<void()> done) {
  const size_t count = static_cast<size_t>(request.items_size());
  if (count > kCommitItemsMax) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("a call holds at most ", kCommitItemsMax, " operations"));
  }
  if (count == 0) {
    done();
    return absl::OkStatus();
  }
  std::shared_ptr<CommitCall> call = StartCall(count, std::move(done));
  std::vector<Group> groups;
  absl::flat_hash_map<std::pair<uint32_t, absl::string_view>, size_t> batches;
  absl::flat_hash_map<uint32_t, size_t> atomics;
  response.mutable_results()->Reserve(request.items_size());
  for (const v1::CommitItem& item : request.items()) {
    PendingOperation pending{.item = &item, .result = response.add_results(), .call = call};
    size_t* place = nullptr;
    if (item.atomic_group() != 0) {
      place = &atomics.try_emplace(item.atomic_group(), groups.size()).first->second;
    } else if (item.batch() != 0) {
      const absl::string_view space = item.operation().entity().space();
      place = &batches.try_emplace({item.batch(), space}, groups.size()).first->second;
    }
    if (place == nullptr || *place == groups.size()) groups.emplace_back();
    groups[place == nullptr ? groups.size() - 1 : *place].push_back(std::move(pending));
  }
  call = nullptr;
  Submit(std::move(groups));
  return absl::OkStatus();
}

std::shared_ptr<CommitCall> Committer::StartCall(size_t operations,
                                                 absl::AnyInvocable<void()> done) {
  OnStarted();
  return std::make_shared<CommitCall>(operations, limits_.answer_data_bytes_max,
                                      CallScope::Current(),
                                      [this, done = std::move(done)]() mutable {
                                        done();
                                        OnFinished();
                                      });
}

void Committer::CommitClosing(const v1::CommitItem& item, const Closing& closing,
                              v1::CommitResult& result, absl::AnyInvocable<void()> done) {
  SubmitOwn(item, &closing, result, std::move(done));
}

void Committer::CommitOwn(const v1::CommitItem& item, v1::CommitResult& result,
                          absl::AnyInvocable<void()> done) {
  SubmitOwn(item, nullptr, result, std::move(done));
}

void Committer::SubmitOwn(const v1::CommitItem& item, const Closing* closing,
                          v1::CommitResult& result, absl::AnyInvocable<void()> done) {
  std::vector<Group> groups(1);
  groups[0].push_back({.item = &item,
                       .result = &result,
                       .call = StartCall(1, std::move(done)),
                       .own = true,
                       .closing = closing});
  Submit(std::move(groups));
}

void Committer::Submit(std::vector<Group> groups) {
  const absl::Status stopping =
      draining() ? MakeError(Reason::kUnavailable, "the service is stopping") : absl::OkStatus();
  std::vector<std::pair<Lanes, Group>> accepted;
  accepted.reserve(groups.size());
  for (Group& group : groups) {
    if (!stopping.ok()) {
      RefuseAll(group, stopping);
    } else if (Accept(group)) {
      accepted.emplace_back(LanesOf(group), std::move(group));
    }
  }
  if (batcher_.SubmitGroups(std::move(accepted))) return;
  // NOLINTNEXTLINE(bugprone-use-after-move): untouched when they are refused.
  for (auto& [lanes, group] : accepted) {
    RefuseAll(group, MakeRetryableError(Reason::kUnavailable, kQueueFullRetryAfter,
                                        "too many operations wait"));
  }
}

bool Committer::Accept(Group& group) {
  const v1::CommitItem& first = *group.front().item;
  const uint64_t number = next_group_.fetch_add(1, std::memory_order_relaxed);
  for (PendingOperation& pending : group) {
    pending.client_batch = first.batch() != 0 || first.atomic_group() != 0 ? number : 0;
    pending.atomic_group = first.atomic_group() != 0 ? number : 0;
  }
  if (first.atomic_group() != 0) return AcceptWhole(group);
  absl::flat_hash_set<std::string> refused;  // Streams.
  std::erase_if(group, [this, &refused](PendingOperation& pending) {
    absl::Status valid = Validate(pending);
    if (valid.ok() && refused.empty()) return false;
    const std::string stream = entity::StreamName(entity::ViewOf(pending.operation().entity()));
    if (valid.ok() && refused.contains(stream)) {
      valid = MakeError(Reason::kDependsOnRejected,
                        "an earlier operation of the batch on this entity was refused");
    }
    if (valid.ok()) return false;
    refused.insert(stream);
    Refuse(pending, valid);
    return true;
  });
  return !group.empty();
}

// One that cannot be accepted is to blame for all.
bool Committer::AcceptWhole(Group& group) {
  const std::string space = group.front().operation().entity().space();
  for (PendingOperation& blamed : group) {
    const absl::Status valid = ValidateMember(blamed, space);
    if (valid.ok()) continue;
    for (PendingOperation& pending : group) {
      Refuse(pending, &pending == &blamed
                          ? valid
                          : MakeError(Reason::kDependsOnRejected,
                                      "another operation of the atomic batch was refused"));
    }
    return false;
  }
  return true;
}

void Committer::Refuse(const PendingOperation& pending, const absl::Status& error) {
  pending.result->set_outcome(common::v1::OUTCOME_REJECTED);
  rpc::ToProto(error, *pending.result->mutable_error());
  tools_.observer.OnAnswer(pending.operation().kind(), common::v1::OUTCOME_REJECTED);
  pending.call->OnAnswered();
}

void Committer::RefuseAll(Group& group, const absl::Status& error) {
  for (const PendingOperation& pending : group) Refuse(pending, error);
}

void Committer::Send(std::vector<PendingOperation> batch, absl::AnyInvocable<void()> done) {
  auto segments = std::make_shared<Segments>();
  segments->done = std::move(done);
  OnStarted();
  const CallScope scope(TraceOf(batch));
  for (PendingOperation& pending : batch) {
    std::vector<Group>& groups = segments->groups;
    if (groups.empty() || groups.back().back().atomic_group != pending.atomic_group) {
      groups.emplace_back();
    }
    groups.back().push_back(std::move(pending));
  }
  RunNext(std::move(segments));
}

// Of a batch whose operations may come from several calls.
CallTrace Committer::TraceOf(const std::vector<PendingOperation>& batch) const {
  std::vector<const CallTrace*> calls;
  for (const PendingOperation& pending : batch) {
    const CallTrace* const trace = &pending.call->trace();
    if (calls.empty() || calls.back() != trace) calls.push_back(trace);
  }
  CallTrace trace = TraceOfBatch(calls, tools_.random);
  if (calls.size() > 1) tools_.observer.OnJoined(trace, calls);
  return trace;
}

void Committer::RunNext(std::shared_ptr<Segments> segments) {
  if (segments->next == segments->groups.size()) {
    segments->done();
    OnFinished();
    return;
  }
  Group group = std::move(segments->groups[segments->next++]);
  const bool atomic = group.front().atomic_group != 0;
  CommitRun::Start(tools_, std::move(group), atomic,
                   [this, segments = std::move(segments)] { RunNext(segments); });
}

void Committer::OnStarted() {
  absl::MutexLock lock(&mutex_);
  ++under_way_;
}

void Committer::OnFinished() {
  absl::MutexLock lock(&mutex_);
  --under_way_;
}

void Committer::Drain(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  mutex_.AwaitWithDeadline(absl::Condition(
                               +[](size_t* under_way) { return *under_way == 0; }, &under_way_),
                           deadline);
}

}  // namespace bdcsync::version
