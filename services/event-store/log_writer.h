// The one writer of certain logs in this process. It takes batches, decides them in memory
// (BatchPlan), commits them with a compare-and-set per log, answers, and tells the sink. While a
// batch is being committed the next one is planned on what it will leave behind (PlanOrder) and
// sent behind it (CommitLine), so the storage is never idle while there is work. A large batch that
// comes alone may be written in halves (InHalves), each by a thread of its own. A log that another
// replica wrote meanwhile is read up and tried again. Submit is thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/stop_signal.h"
#include "libs/rpc/lane_batcher.h"
#include "services/event-store/append_call.h"
#include "services/event-store/batch_plan.h"
#include "services/event-store/commit_line.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/log_memory.h"
#include "services/event-store/pair_runner.h"
#include "services/event-store/plan_order.h"

namespace bdcsync::event_store {

struct LogWriterLimits {
  rpc::LaneBatcherLimits batches{.in_flight_max = 1};
  LogCacheLimits cache;
  bool halves = false;  // Whether the storage takes two commits of this writer at once.
};

class LogWriter {
 public:
  using Item = std::pair<uint32_t, PendingItem>;  // With its log.
  using Groups = std::vector<std::pair<uint64_t, std::vector<Item>>>;

  // All but `limits` are borrowed.
  LogWriter(EventStorage& storage, const Clock& clock, Random& random, CommitSink& sink,
            CommitObserver& observer, const LogWriterLimits& limits);
  // Finishes what was submitted.
  ~LogWriter();

  // Takes groups that each belong to one log. False, with `groups` untouched: the queue is full.
  [[nodiscard]] bool Submit(Groups&& groups) { return batches_.SubmitGroups(std::move(groups)); }
  std::size_t queued() const { return batches_.queued(); }
  // Batches that are planned and not committed yet.
  std::size_t planned() const { return order_.standing(); }
  bool idle() const { return batches_.idle() && order_.idle(); }
  uint64_t cache_hits() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return memory_.cache().hits(); }
  uint64_t cache_misses() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return memory_.cache().misses(); }

 private:
  using Items = ItemsOfLogs;
  using Done = rpc::LaneBatcher<Item>::Done;
  struct Batch {
    Items items;
    Done done;
    bool waited;  // Behind one that was written in halves.
  };

  // A batch on its way, or half of one: its items are in `items` until they are in `plan`.
  struct Flight {
    int64_t number;
    Items items;
    Done taken;  // Lets the next batch come; run once this one is planned. Of a half: none.
    absl::Duration started;
    CommitLine& line;
    bool is_half = false;  // Nothing is planned on it: what it leaves is remembered when stored.
    std::unique_ptr<BatchPlan> plan;
    std::vector<LogWrite> writes;                // Of the plan.
    std::unique_ptr<CommitLine::Commit> commit;  // Of the writes, until it is answered.
    bool sent = false;                           // The commit is.
    int64_t falls = 0;                           // What Planned returned.
    bool may_settle = false;
  };

  void Run();
  std::optional<Batch> NextBatch();
  // Nothing is under way or waits, and nothing did when the batch came.
  bool IsAlone(const Batch& batch, int64_t number) const;
  void Write(Flight& flight);
  void WriteHalves(Flight& whole, std::array<Items, 2> halves);
  // Plans without reading from the storage, or leaves that until it is the batch's turn.
  void PlanAhead(Flight& flight);
  void PlanHalf(Flight& half);
  // False, and nothing is planned: something must be read for it.
  bool PlanFromMemory(Flight& flight) ABSL_SHARED_LOCKS_REQUIRED(plan_mutex_);
  absl::Status PlanNow(Flight& flight);
  // The next batch may rest on the plan, unless it is of a half.
  void Stand(Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(plan_mutex_);
  void Prepare(Flight& flight);
  // Sends what was planned ahead, without waiting for the answer to what it rests on.
  void SendBehind(Flight& flight);
  // `behind`: the id of the commit that it rests on and that is not answered yet; 0: of none.
  void Send(Flight& flight, uint64_t behind);
  absl::StatusOr<std::vector<bool>> AwaitAnswer(Flight& flight);
  bool HasFallen(const Flight& flight) const;
  // Commits until all is settled or cannot be; then answers what is left.
  absl::Status CommitAll(Flight& flight);
  void Answer(Flight& flight, const absl::Status& status);
  // Commits. What another writer was faster with is in `items` afterwards, to be tried again; the
  // rest is answered then. In the usual case nothing is, and all is answered by the caller.
  absl::Status Attempt(Flight& flight);
  absl::Status Decide(BatchPlan& plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(plan_mutex_);
  // Which logs of the plan, in their order, are settled; the others were written by another.
  absl::StatusOr<std::vector<bool>> Commit(Flight& flight);
  // The same for what was sent before its plan fell.
  absl::StatusOr<std::vector<bool>> CommitFallen(Flight& flight);
  absl::Status CheckUnwritten(BatchPlan& plan, std::vector<bool>& settled);
  // Takes back what plans that fall have left in memory, but for the `settled` logs of the
  // flight's.
  void Fall(Flight& flight, const std::vector<bool>& settled)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(plan_mutex_);
  void Lose(Flight& flight, const std::vector<bool>& settled);
  void GiveUp(Flight& flight, const absl::Status& status);
  void Settle(Flight& flight, const std::vector<bool>& settled);
  static void Fail(const Items& items, const absl::Status& status);
  void Pause(int attempt);

  EventStorage& storage_;
  const Clock& clock_;
  Random& random_;
  CommitSink& sink_;
  CommitObserver& observer_;
  // The second one for the other half.
  const std::array<std::unique_ptr<CommitLine>, 2> lines_;

  PlanOrder order_;
  // Held while a batch is planned, also while that reads; shared by halves that need not read.
  absl::Mutex plan_mutex_;
  LogMemory memory_ ABSL_GUARDED_BY(plan_mutex_);

  absl::Mutex mutex_;
  std::optional<Batch> batch_ ABSL_GUARDED_BY(mutex_);
  bool behind_halves_ ABSL_GUARDED_BY(mutex_) = false;  // What comes next had to wait for halves.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  StopSignal stop_;                         // The same, for those that pause.
  const std::unique_ptr<PairRunner> pair_;  // If there are halves.
  rpc::LaneBatcher<Item> batches_;
  // One commits while one plans; planning more than one ahead would gain nothing.
  std::array<std::thread, 2> threads_;
};

}  // namespace bdcsync::event_store
