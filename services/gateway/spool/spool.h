// Store-and-forward: operations that could not be committed are kept on disk and committed when the
// version service is back, those of one entity in order, with the same op_id. Their outcome is told
// to the session that sent them, if it is still there; what is refused is parked, never deleted.
// Owns one thread, which alone touches the queue. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bdcsync/gateway/v1/stored.pb.h"
#include "libs/base/call_trace.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/timed_cond_var.h"
#include "libs/log/logger.h"
#include "libs/queue/durable_queue.h"
#include "services/gateway/pipeline/store_and_forward.h"
#include "services/gateway/pipeline/version_client.h"
#include "services/gateway/session/operations.h"

namespace bdcsync::gateway {

class KnownAccess;
class SpoolMetrics;

struct SpoolLimits {
  size_t batch_items_max = 256;  // Groups in one call.
  size_t batch_bytes_max = 2 << 20;
  absl::Duration retry_after_min = absl::Milliseconds(100);
  absl::Duration check_interval = absl::Seconds(5);  // offline.connectivity_check_interval
};

struct SpoolDependencies {
  VersionClient& version;
  OutcomeListener& listener;
  const Clock& clock;
  Random& random;
  log::Logger& logger;
  SpoolMetrics& metrics;
  KnownAccess& access;
};

class Spool final : public StoreAndForward {
 public:
  // What the dependencies refer to is borrowed. Begins at once to commit what `queue` holds.
  Spool(std::unique_ptr<queue::DurableQueue> queue, SpoolDependencies dependencies,
        SpoolLimits limits);
  // Stops, if Stop was not called.
  ~Spool() override;

  bool Holds(absl::string_view space) const override;
  void Store(std::vector<Group> groups, Done done) override;
  // Groups that wait, on disk or on the way there.
  size_t waiting() const;
  // Runs `task` with the queue on the spool's thread, for administration. False, and it never runs,
  // when the spool is stopping.
  [[nodiscard]] bool Do(absl::AnyInvocable<void(queue::DurableQueue&)> task);
  // Told within Do: the parked group `id` of `space` waits again, by an operator's will.
  void OnUnparked(int64_t id, absl::string_view space);
  // Begins no more calls; returns when the last one is answered and everything accepted is on disk.
  void Stop();

 private:
  struct Request {
    std::vector<Group> groups;
    Done done;
  };
  struct Taken {
    queue::Item item;
    v1::StoredOperations stored;
  };
  struct Answer {
    std::vector<Taken> taken;
    absl::StatusOr<version::v1::CommitResponse> response;
  };

  void Run();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What follows runs on the spool's thread.
  void Keep(std::deque<Request> requests);
  void Forward();
  CallTrace TraceOf(const version::v1::CommitRequest& request);
  std::vector<Taken> Authorised(std::vector<queue::Item> items);
  void ParkUnreadable(const queue::Item& item);
  void Send(std::vector<Taken> taken);
  void Settle(Answer answer);
  void SettleItem(const Taken& taken, absl::Span<version::v1::CommitResult> results,
                  std::vector<int64_t>& done);
  void Complete(const std::vector<int64_t>& done);
  void Refuse(const Taken& taken, const absl::Status& why);
  // `keys` and `payload`: of what is refused of the item.
  void Park(const queue::Item& item, const std::vector<std::string>& keys,
            const std::string& payload, const common::v1::Error& why);
  void PutOff(const Answer& answer);
  void Tell(const version::v1::CommitItem& item, version::v1::CommitResult result);
  void Forget(absl::string_view space);
  void PublishState();

  const std::unique_ptr<queue::DurableQueue> queue_;
  const SpoolDependencies to_;
  const SpoolLimits limits_;
  mutable absl::Mutex mutex_;
  TimedCondVar work_;  // HasWork, which only the spool's thread asks for.
  std::deque<Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::deque<absl::AnyInvocable<void(queue::DurableQueue&)>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> held_ ABSL_GUARDED_BY(mutex_);  // Groups per space.
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the spool's thread alone:
  log::Throttle failures_;                // Of the disk.
  absl::flat_hash_set<int64_t> vouched_;  // Items that an operator has sent again.
  bool in_flight_ = false;
  size_t items_max_;             // In the next call; 1 after one that was refused as a whole.
  absl::Duration next_attempt_;  // Monotonic.
  absl::Duration retry_after_;
  absl::Duration complete_after_;  // What is completed and kept still; monotonic.
  std::thread thread_;             // Last: it uses all of the above.
};

}  // namespace bdcsync::gateway
