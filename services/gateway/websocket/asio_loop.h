// A Loop on one io_context with one thread, started by the constructor and joined by the
// destructor. Work done in one turn is gathered: posted tasks run together, and AtTurnEnd lets
// connections write everything that a turn queued at once. Post is thread-safe, the rest is for the
// loop's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

// What waits for the end of a turn.
class TurnEndListener {
 public:
  virtual ~TurnEndListener() = default;
  virtual void OnTurnEnd() = 0;
};

class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  void Post(Task task) override;
  TimerId RunAfter(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // Calls the listener once when the handlers that are ready now have run. The caller sees to it
  // that a listener waits once at a time. shared_ptr: it may go away before the turn ends.
  void AtTurnEnd(std::shared_ptr<TurnEndListener> listener);
  boost::asio::io_context& context() { return context_; }
  // Ends the thread; what is posted later never runs. Called by the destructor; twice is fine.
  void Stop();

 private:
  using Instant = std::chrono::steady_clock::time_point;
  using TimerKey = std::pair<Instant, TimerId>;

  void RunPosted();
  void RunTurnEnd();
  void ArmTimer();
  void RunTimers();

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  absl::Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  std::vector<Task> running_;  // Capacity kept from turn to turn.
  std::vector<std::shared_ptr<TurnEndListener>> turn_end_;
  std::vector<std::shared_ptr<TurnEndListener>> turn_ending_;
  boost::asio::steady_timer timer_;
  Instant armed_for_ = Instant::max();
  TimerId last_timer_ = kNoTimer;
  std::map<TimerKey, Task> timers_;
  absl::flat_hash_map<TimerId, Instant> timer_times_;
  std::thread thread_;
};

}  // namespace bdcsync::gateway
