// One Subscribe call: woken by the feed, it reads on a worker and writes one message at a time;
// what is not read is not held, so a slow subscriber costs no memory. Deletes itself when gRPC is
// done with it. Thread-safe.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "services/event-store/follower.h"

namespace bdcsync::rpc {
class WorkerPool;
}

namespace bdcsync::event_store {

class SubscribeReactor final : public grpc::ServerWriteReactor<v1::SubscribeResponse> {
 public:
  using Forget = std::function<void(SubscribeReactor*)>;

  // `feed` and `workers` are borrowed. `forget` runs just before the reactor deletes itself.
  SubscribeReactor(CommitFeed& feed, rpc::WorkerPool& workers, Follower follower, Forget forget);

  // Begins to read and write.
  void Start();
  // There may be something new. Does not block.
  void Wake();
  // Ends the call with `status` as soon as the write in flight is done.
  void Stop(absl::Status status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // Whoever gets kRunning from kIdle runs: reads, writes or finishes, alone.
  enum class State { kIdle, kRunning, kFinished };

  void Schedule();
  void Run();
  void FinishWith(const absl::Status& status);

  CommitFeed& feed_;
  rpc::WorkerPool& workers_;
  Follower follower_;               // Of who runs.
  v1::SubscribeResponse response_;  // Of who runs.
  const Forget forget_;
  std::unique_ptr<CommitFeed::Listener> listener_;
  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kRunning;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status stopped_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::event_store
