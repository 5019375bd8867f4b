// Which of the conflicts that are due are told, where they are more than fit. Those told least
// often come before those more overdue: what was told and is due still could not be closed, and a
// pageful of such would hold up all others for ever. Of more than `stepped_over_max` such the rest
// waits until they are closed. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

class DueTurns {
 public:
  // `on_too_many` is told each time that more cannot be closed than are stepped over; may be
  // nothing.
  explicit DueTurns(int stepped_over_max = 1000, std::function<void()> on_too_many = nullptr)
      : stepped_over_max_(stepped_over_max), on_too_many_(std::move(on_too_many)) {}

  // How many places to read to find the `limit` whose turn it is.
  int PlacesToRead(int limit) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Cuts all `places` that were read, the most overdue first, to `limit` of them in that order.
  void Cut(int limit, std::vector<DuePlace>& places) ABSL_LOCKS_EXCLUDED(mutex_);
  void Told(const std::vector<DuePlace>& places) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const int stepped_over_max_;
  const std::function<void()> on_too_many_;
  mutable absl::Mutex mutex_;
  // How often, of those that were due when last read.
  absl::flat_hash_map<std::string, int64_t> told_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::conflict
