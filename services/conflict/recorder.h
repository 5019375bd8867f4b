// Writes the records of resolutions before anybody is told of them, many calls in one transaction,
// and lists them. Thread-safe; never blocks but in Drain.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/rpc/lane_batcher.h"
#include "libs/rpc/worker_pool.h"
#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

inline constexpr int kListPageMax = 500;
inline constexpr int kListPageDefault = 50;
// Of the records of a page; one that is larger comes alone.
inline constexpr size_t kListBytesMax = size_t{4} << 20;

struct RecorderLimits {
  size_t batch_items_max = 256;              // Calls in one transaction.
  size_t batch_bytes_max = size_t{8} << 20;  // Their records; one larger call goes alone.
  size_t queue_items_max = 4096;             // Calls waiting; more are refused.
};

class Recorder {
 public:
  using Recorded = absl::AnyInvocable<void(absl::Status)>;
  using Listed = absl::AnyInvocable<void(absl::StatusOr<v1::ListResolutionsResponse>)>;
  // Told of every transaction: how many records, how long it took.
  using Observer = std::function<void(size_t records, absl::Duration duration)>;

  // All are borrowed and must outlive the recorder.
  Recorder(ResolutionStorage& storage, rpc::WorkerPool& workers, const Clock& clock,
           RecorderLimits limits, Observer observer);
  // Waits until nothing is under way.
  ~Recorder() { Drain(absl::InfiniteFuture()); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Keeps what one call leaves behind, with the time of day; `recorded` runs when it is durable.
  //   UNAVAILABLE  nothing is known of it: resolve again.
  void Record(Records records, Recorded recorded);
  // kInvalidArgument for a malformed query; UNAVAILABLE when the store cannot be read.
  void List(const v1::ListResolutionsRequest& request, Listed listed);

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline);
  size_t queued() const { return batcher_.queued(); }

 private:
  struct Pending {
    Records records;
    size_t bytes = 0;
    Recorded recorded;
  };

  void Send(std::vector<Pending> batch, absl::AnyInvocable<void()> done);
  void Write(std::vector<Pending>& batch);
  void OnStarted();
  void OnFinished();

  ResolutionStorage& storage_;
  rpc::WorkerPool& workers_;
  const Clock& clock_;
  const Observer observer_;
  absl::Mutex mutex_;
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  rpc::LaneBatcher<Pending> batcher_;  // Last: it uses all of the above.
};

}  // namespace bdcsync::conflict
