// Counts what is open and looks how long something has been due, for who watches, and deletes what
// is older than records are kept, now and then, on a thread of its own. Thread-safe.
#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/stop_signal.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

inline constexpr absl::Duration kDeskWatchInterval = absl::Seconds(15);
// Deleted at once, of records and of conflicts, so that nobody waits long behind it.
inline constexpr int kDeleteBatch = 1000;
inline constexpr int kDeleteBatchesMax = 20;  // In one look.

struct DeskLook {
  OpenCounts open;
  absl::Duration overdue;  // Of what has been due the longest; zero: nothing is due.
};

class DeskWatch {
 public:
  using Counted = std::function<void(const DeskLook& look)>;

  // Looks at once, and then every kDeskWatchInterval. `limits` tells what is due; `retention` 0:
  // nothing is deleted. Both references are borrowed and must outlive this.
  DeskWatch(DeskStorage& storage, const Clock& clock, DeskLimits limits, absl::Duration retention,
            Counted counted);
  // Waits for a look that is under way.
  ~DeskWatch();
  DeskWatch(const DeskWatch&) = delete;
  DeskWatch& operator=(const DeskWatch&) = delete;

  // What is done at each look; for tests. A store that cannot be reached is left for the next one.
  void Look();

 private:
  void Run();

  DeskStorage& storage_;
  const Clock& clock_;
  const DeskLimits limits_;
  const absl::Duration retention_;
  const Counted counted_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace bdcsync::conflict
