#include "services/conflict/desk_watch.h"

#include <utility>

namespace bdcsync::conflict {

DeskWatch::DeskWatch(DeskStorage& storage, const Clock& clock, DeskLimits limits,
                     absl::Duration retention, Counted counted)
    : storage_(storage),
      clock_(clock),
      limits_(limits),
      retention_(retention),
      counted_(std::move(counted)),
      thread_([this] { Run(); }) {}

DeskWatch::~DeskWatch() {
  stop_.Stop();
  thread_.join();
}

void DeskWatch::Run() {
  do {
    Look();
  } while (!stop_.WaitFor(kDeskWatchInterval));
}

void DeskWatch::Look() {
  const absl::Time now = clock_.Now();
  const absl::StatusOr<OpenCounts> counts = storage_.CountOpen();
  if (!counts.ok()) return;
  const absl::StatusOr<DuePlaces> due =
      storage_.ListDue(DueAt(absl::ToUnixMillis(now), limits_, /*limit=*/1));
  if (!due.ok()) return;
  counted_({.open = *counts,
            .overdue = due->due.empty() ? absl::ZeroDuration()
                                        : absl::Milliseconds(due->due.front().overdue_ms)});
  if (retention_ == absl::ZeroDuration()) return;
  const int64_t before_ms = absl::ToUnixMillis(now - retention_);
  for (int batch = 0; batch < kDeleteBatchesMax; ++batch) {
    const absl::StatusOr<int64_t> deleted = storage_.DeleteBefore(before_ms, kDeleteBatch);
    if (!deleted.ok() || *deleted == 0) return;
  }
}

}  // namespace bdcsync::conflict
