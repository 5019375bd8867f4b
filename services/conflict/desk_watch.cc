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
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void DeskWatch::Run() {
  while (true) {
    Look();
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kDeskWatchInterval)) return;
  }
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
