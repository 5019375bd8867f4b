#include "services/conflict/desk_watch.h"

#include <utility>

namespace bdcsync::conflict {

DeskWatch::DeskWatch(DeskStorage& storage, const Clock& clock, absl::Duration retention,
                     Counted counted)
    : storage_(storage),
      clock_(clock),
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
  const absl::StatusOr<OpenCounts> counts = storage_.CountOpen();
  if (!counts.ok()) return;
  counted_(*counts);
  if (retention_ == absl::ZeroDuration()) return;
  const int64_t before_ms = absl::ToUnixMillis(clock_.Now() - retention_);
  for (int batch = 0; batch < kDeleteBatchesMax; ++batch) {
    const absl::StatusOr<int64_t> deleted = storage_.DeleteBefore(before_ms, kDeleteBatch);
    if (!deleted.ok() || *deleted == 0) return;
  }
}

}  // namespace bdcsync::conflict
