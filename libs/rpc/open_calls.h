// Calls that have begun and not ended, with one alarm for the deadlines of all of them.
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace grpc {
class Alarm;
}  // namespace grpc

namespace bdcsync::rpc {

class OpenCalls final : public std::enable_shared_from_this<OpenCalls> {
 public:
  class Call {
   public:
    // Its time is over: on a thread of gRPC's, at most once.
    virtual void Expire() = 0;

   protected:
    // `expires` by SystemClock::Monotonic().
    explicit Call(absl::Duration expires) : expires_(expires) {}
    ~Call() = default;

   private:
    friend class OpenCalls;
    absl::Duration expires_;  // Under the mutex of the calls; infinite once it was told.
  };

  OpenCalls();
  ~OpenCalls();

  // Holds `call` until Remove. False, and it is not held, once closed.
  [[nodiscard]] bool Add(std::shared_ptr<Call> call);
  // Returns what held the call, to be let go of without a lock.
  std::shared_ptr<Call> Remove(Call& call);
  // Takes no more. Returns those that are left; they stay until they are removed.
  std::vector<std::shared_ptr<Call>> Close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  int count() const;
  // Waits until there is none, or until `deadline`.
  void AwaitNone(absl::Time deadline) const;

 private:
  using Calls = absl::btree_map<std::pair<absl::Duration, Call*>, std::shared_ptr<Call>>;

  void WakeAt(absl::Duration moment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellTheLate();

  std::atomic<bool> closed_{false};
  mutable absl::Mutex mutex_;
  Calls calls_ ABSL_GUARDED_BY(mutex_);
  // The earliest deadline there was since the alarm last rang.
  absl::Duration wakes_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
