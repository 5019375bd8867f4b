#include "services/event-store/append_answers.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {
namespace {

using Outcome = BatchPlan::Outcome;

constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);

// A result that waits for the event it refers to.
struct Reference {
  EventPlace place;
  BatchPlan::Item* item;
};

void FillAppended(const BatchPlan::Log& log, const BatchPlan::Item& item) {
  v1::Appended& appended = *item.pending.result().mutable_appended();
  appended.set_log_id(log.now.log_id);
  appended.set_epoch(log.now.epoch);
  appended.set_position(item.position);
  appended.set_seq(item.seq);
  appended.set_revision(item.revision);
  appended.set_time_ms(log.now.time_ms);
  appended.set_first_seq(item.stream->now.first_seq);
}

void FillCommitted(const BatchPlan::Log& log, const BatchPlan::Item& item, v1::Event& event) {
  const v1::AppendItem& request = item.pending.item();
  event.set_log_id(log.now.log_id);
  event.set_position(item.position);
  *event.mutable_stream() = request.stream();
  event.set_kind(item.stream->now.kind);
  event.set_seq(item.seq);
  event.set_revision(item.revision);
  event.set_event_id(request.event_id());
  event.set_time_ms(log.now.time_ms);
  event.set_meta(request.meta());
  event.set_data(request.data());
  event.set_tombstone(request.tombstone());
  event.set_first_seq(item.stream->now.first_seq);
}

void FillRefusal(const BatchPlan::Item& item) {
  switch (item.outcome) {
    case Outcome::kOperationIdReused:
      SetError(MakeErrorAt(Reason::kOperationIdReused, "op_id",
                           "the op_id was used for another request"),
               item.pending.result());
      return;
    case Outcome::kMismatch:
      SetError(
          MakeErrorAt(Reason::kPreconditionFailed, "expected", "the stream is not as expected"),
          item.pending.result());
      return;
    case Outcome::kDependsOnRejected:
      SetError(MakeErrorAt(Reason::kDependsOnRejected, "atomic_group",
                           "another item of the group does not apply"),
               item.pending.result());
      return;
    case Outcome::kAppended:
    case Outcome::kDuplicate:
      return;
  }
}

void FillReference(BatchPlan::Item& item, v1::Head& head) {
  v1::AppendResult& result = item.pending.result();
  if (head.has_event()) {
    v1::Event* event =
        item.outcome == Outcome::kDuplicate ? result.mutable_duplicate() : result.mutable_head();
    *event = std::move(*head.mutable_event());
  } else {
    SetError(MakeError(Reason::kInternal, "an event that the log refers to is missing"), result);
  }
}

void FillReferences(EventStorage& storage, absl::Span<const Reference> references) {
  std::vector<EventPlace> places;
  places.reserve(references.size());
  for (const Reference& reference : references) places.push_back(reference.place);
  absl::StatusOr<std::vector<v1::Head>> heads = storage.ReadEvents(places);
  if (heads.ok()) {
    for (std::size_t i = 0; i < references.size(); ++i) {
      FillReference(*references[i].item, (*heads)[i]);
    }
    return;
  }
  if (ReasonOf(heads.status()) == Reason::kTooLarge && references.size() > 1) {
    const std::size_t half = references.size() / 2;
    FillReferences(storage, references.subspan(0, half));
    FillReferences(storage, references.subspan(half));
    return;
  }
  for (const Reference& reference : references) {
    SetError(MakeRetryableError(Reason::kUnavailable, kRetryAfter, heads.status().message()),
             reference.item->pending.result());
  }
}

}  // namespace

void FillResults(EventStorage& storage, absl::Span<BatchPlan::Log* const> logs) {
  std::vector<Reference> references;
  for (BatchPlan::Log* log : logs) {
    for (BatchPlan::Item* item : log->items) {
      if (item->outcome == Outcome::kAppended) {
        FillAppended(*log, *item);
        continue;
      }
      FillRefusal(*item);
      if (item->outcome == Outcome::kDuplicate) {
        item->pending.result().set_epoch(log->now.epoch);
      }
      const bool shows =
          item->outcome == Outcome::kDuplicate || item->outcome == Outcome::kMismatch;
      if (shows && item->refers_to != 0) {
        references.push_back({{log->now.log_id, item->refers_to}, item});
      }
    }
  }
  if (!references.empty()) FillReferences(storage, references);
}

std::vector<v1::SpaceCommit> CommitsOf(const BatchPlan::Log& log) {
  struct Part {
    std::vector<const BatchPlan::Item*> items;
    std::size_t bytes = 0;
  };
  std::vector<std::pair<const BatchPlan::Space*, Part>> parts;
  absl::flat_hash_map<const BatchPlan::Space*, std::size_t> index;
  for (const BatchPlan::Item* item : log.items) {
    if (item->outcome != Outcome::kAppended) continue;
    const auto [slot, added] = index.emplace(item->space, parts.size());
    if (added) parts.push_back({item->space, Part()});
    Part& part = parts[slot->second].second;
    part.items.push_back(item);
    part.bytes += item->pending.item().data().size() + item->pending.item().meta().size();
  }
  std::vector<v1::SpaceCommit> commits;
  commits.reserve(parts.size());
  for (const auto& [space, part] : parts) {
    v1::SpaceCommit& commit = commits.emplace_back();
    commit.set_space(space->name.space.data(), space->name.space.size());
    commit.set_epoch(log.now.epoch);
    commit.set_first_seq(part.items.front()->seq);
    commit.set_last_seq(part.items.back()->seq);
    if (part.bytes > kCommitEventBytesMax) continue;
    commit.mutable_events()->Reserve(static_cast<int>(part.items.size()));
    for (const BatchPlan::Item* item : part.items) {
      FillCommitted(log, *item, *commit.add_events());
    }
  }
  return commits;
}

}  // namespace bdcsync::event_store
