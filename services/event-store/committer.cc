#include "services/event-store/committer.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "services/event-store/validation.h"

namespace bdcsync::event_store {
namespace {

constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);

// Answers what is wrong in itself; tells for each item whether it may go on.
std::vector<bool> CheckItems(AppendCall& call) {
  std::vector<bool> good(static_cast<std::size_t>(call.size()), true);
  absl::flat_hash_set<uint32_t> groups;
  for (int begin = 0; begin < call.size();) {
    const uint32_t group = call.item(begin).atomic_group();
    int end = begin + 1;
    while (group != 0 && end < call.size() && call.item(end).atomic_group() == group) ++end;
    absl::Status group_status;
    if (group != 0 && !groups.insert(group).second) {
      group_status = MakeErrorAt(Reason::kInvalidArgument, "atomic_group",
                                 "items of a group stand next to each other");
    }
    std::vector<absl::Status> statuses;
    bool all_good = group_status.ok();
    for (int i = begin; i < end; ++i) {
      absl::Status& status = statuses.emplace_back(CheckItem(call.item(i)));
      if (status.ok() && call.item(i).stream().space() != call.item(begin).stream().space()) {
        status = MakeErrorAt(Reason::kInvalidArgument, "stream.space", "a group is in one space");
      }
      all_good = all_good && status.ok();
    }
    for (int i = begin; i < end && !all_good; ++i) {
      absl::Status& status = statuses[static_cast<std::size_t>(i - begin)];
      if (status.ok()) status = group_status;
      if (status.ok()) {
        status = MakeErrorAt(Reason::kDependsOnRejected, "atomic_group",
                             "another item of the group is refused");
      }
      SetError(status, call.result(i));
      good[static_cast<std::size_t>(i)] = false;
    }
    begin = end;
  }
  return good;
}

// Deals the logs out to the writers. Where these are enough no writer has logs of two groups: what
// one batch brings to a server that is away fails with all else that is in it.
std::vector<std::size_t> DealOut(const EventStorage& storage, std::size_t writers) {
  const std::size_t groups = storage.group_count();
  std::vector<std::size_t> dealt(groups);
  std::vector<std::size_t> writer_of_log(storage.log_count());
  for (uint32_t log_id = 0; log_id < storage.log_count(); ++log_id) {
    const std::size_t group = storage.group_of(log_id);
    const std::size_t first = group % writers;
    const std::size_t own = (writers - first + groups - 1) / groups;
    writer_of_log[log_id] = first + groups * (dealt[group]++ % own);
  }
  return writer_of_log;
}

}  // namespace

void SetError(const absl::Status& status, v1::AppendResult& result) {
  const ReasonInfo& info = InfoOf(ReasonOf(status));
  common::v1::Error& error = *result.mutable_error();
  error.set_code(info.name.data(), info.name.size());
  error.set_message(status.message().data(), status.message().size());
  error.set_retryable(info.retryable);
  error.set_path(PathOf(status));
  if (const auto after = RetryAfterOf(status); after.has_value()) {
    error.set_retry_after_ms(absl::ToInt64Milliseconds(*after));
  }
}

uint32_t LogOfSpace(absl::string_view space, uint32_t log_count) {
  return static_cast<uint32_t>(StableHash64(space) % log_count);
}

Committer::Committer(EventStorage& storage, const Clock& clock, Random& random, CommitSink& sink,
                     CommitObserver& observer, const CommitterOptions& options)
    : log_count_(storage.log_count()) {
  for (int i = 0; i < options.writers; ++i) {
    writers_.push_back(
        std::make_unique<LogWriter>(storage, clock, random, sink, observer, options.writer));
  }
  writer_of_log_ = DealOut(storage, writers_.size());
}

Committer::~Committer() = default;

absl::Status Committer::Append(const v1::AppendRequest& request, v1::AppendResponse& response,
                               absl::AnyInvocable<void()> done) {
  RETURN_IF_ERROR(CheckRequest(request));
  // Shared by its items, which may travel in different batches.
  const auto call = std::make_shared<AppendCall>(request, response, std::move(done));
  const std::vector<bool> good = CheckItems(*call);
  std::vector<LogWriter::Groups> groups(writers_.size());
  absl::flat_hash_map<uint32_t, std::size_t> group_of_log;
  int refused = 0;
  for (int i = 0; i < call->size(); ++i) {
    if (!good[static_cast<std::size_t>(i)]) {
      ++refused;
      continue;
    }
    const uint32_t log_id = LogOfSpace(call->item(i).stream().space(), log_count_);
    LogWriter::Groups& of_writer = groups[writer_of_log_[log_id]];
    const auto [slot, added] = group_of_log.emplace(log_id, of_writer.size());
    if (added) of_writer.emplace_back(log_id, std::vector<LogWriter::Item>());
    of_writer[slot->second].second.emplace_back(log_id, PendingItem{call, i});
  }
  for (std::size_t w = 0; w < writers_.size(); ++w) {
    if (groups[w].empty() || writers_[w]->Submit(std::move(groups[w]))) continue;
    const absl::Status full = MakeRetryableError(Reason::kUnavailable, kRetryAfter,
                                                 "too many appends wait for the storage");
    for (const auto& [log_id, items] : groups[w]) {
      for (const LogWriter::Item& item : items) SetError(full, item.second.result());
      refused += static_cast<int>(items.size());
    }
  }
  call->Finish(refused + 1);
  return absl::OkStatus();
}

std::size_t Committer::queued() const {
  std::size_t items = 0;
  for (const auto& writer : writers_) items += writer->queued();
  return items;
}

std::size_t Committer::planned() const {
  std::size_t batches = 0;
  for (const auto& writer : writers_) batches += writer->planned();
  return batches;
}

uint64_t Committer::cache_hits() const {
  uint64_t hits = 0;
  for (const auto& writer : writers_) hits += writer->cache_hits();
  return hits;
}

uint64_t Committer::cache_misses() const {
  uint64_t misses = 0;
  for (const auto& writer : writers_) misses += writer->cache_misses();
  return misses;
}

bool Committer::idle() const {
  for (const auto& writer : writers_) {
    if (!writer->idle()) return false;
  }
  return true;
}

}  // namespace bdcsync::event_store
