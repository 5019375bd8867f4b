#include "services/version/conflict_lookup.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "services/version/conflict_facts.h"

namespace bdcsync::version {
namespace {

// Items that are worked on, a few at a time.
struct Round : std::enable_shared_from_this<Round> {
  void Next() {
    const size_t place = next.fetch_add(1, std::memory_order_relaxed);
    if (place < count) work(place, [self = shared_from_this()] { self->OnDone(); });
  }
  void OnDone() {
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      finished();
    } else {
      Next();
    }
  }

  size_t count = 0;
  std::function<void(size_t, absl::AnyInvocable<void()>)> work;
  absl::AnyInvocable<void()> finished;
  std::atomic<size_t> next{0};
  std::atomic<size_t> left{0};
};

absl::StatusOr<std::vector<ConflictRecord>> RecordsOf(
    const std::vector<std::string>& ids,
    absl::StatusOr<conflict::v1::GetConflictsResponse> answer) {
  if (!answer.ok()) return answer.status();
  if (answer->conflicts_size() != static_cast<int>(ids.size())) {
    return MakeError(Reason::kUnavailable, "conflicts cannot be looked up");
  }
  std::vector<ConflictRecord> records(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    conflict::v1::ConflictOrError& found = *answer->mutable_conflicts(static_cast<int>(i));
    records[i].conflict = std::move(*found.mutable_conflict());
    if (found.has_error()) {
      records[i].error = found.error();
    } else if (records[i].conflict.conflict_id() != ids[i] || !IsConflictId(ids[i])) {
      rpc::ToProto(MakeErrorAt(Reason::kNotFound, "conflict_id", "there is no such conflict"),
                   records[i].error);
    }
  }
  return records;
}

}  // namespace

void LookUpConflicts(
    ConflictDesk& desk, std::vector<std::string> ids,
    absl::AnyInvocable<void(absl::StatusOr<std::vector<ConflictRecord>>)> callback) {
  if (ids.size() > static_cast<size_t>(kConflictItemsPerCallMax)) {
    callback(MakeErrorAt(
        Reason::kInvalidArgument, "items",
        absl::StrCat("a call is about at most ", kConflictItemsPerCallMax, " conflicts")));
    return;
  }
  conflict::v1::GetConflictsRequest request;
  for (const std::string& id : ids) request.add_conflict_ids(id);
  desk.GetConflicts(std::move(request),
                    [ids = std::move(ids), callback = std::move(callback)](
                        absl::StatusOr<conflict::v1::GetConflictsResponse> answer) mutable {
                      callback(RecordsOf(ids, std::move(answer)));
                    });
}

void ForEachOfSome(size_t count, size_t at_once_max,
                   std::function<void(size_t, absl::AnyInvocable<void()>)> work,
                   absl::AnyInvocable<void()> finished) {
  if (count == 0) {
    finished();
    return;
  }
  auto round = std::make_shared<Round>();
  round->count = count;
  round->work = std::move(work);
  round->finished = std::move(finished);
  round->left.store(count, std::memory_order_relaxed);
  for (size_t i = 0; i < std::min(count, at_once_max); ++i) round->Next();
}

}  // namespace bdcsync::version
