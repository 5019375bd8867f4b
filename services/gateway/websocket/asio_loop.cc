#include "services/gateway/websocket/asio_loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "absl/time/time.h"

namespace bdcsync::gateway {
namespace {

// Tells asio that one thread runs the context: it then skips needless wake-ups, not locks.
constexpr int kOneThread = 1;
// The steady clock's nanoseconds overflow some 292 years after it began.
constexpr absl::Duration kDelayMax = absl::Hours(24 * 365 * 100);

}  // namespace

AsioLoop::AsioLoop()
    : context_(kOneThread),
      work_(context_.get_executor()),
      timer_(context_),
      thread_([this] { context_.run(); }) {}

AsioLoop::~AsioLoop() { Stop(); }

void AsioLoop::Stop() {
  if (!thread_.joinable()) return;
  context_.stop();
  thread_.join();
}

void AsioLoop::Post(Task task) {
  bool first;
  {
    absl::MutexLock lock(&mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) boost::asio::post(context_, [this] { RunPosted(); });
}

void AsioLoop::RunPosted() {
  {
    absl::MutexLock lock(&mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) {
    std::move(task)();
    task = nullptr;  // What a task holds is let go before the next one runs.
  }
  running_.clear();
}

void AsioLoop::AtTurnEnd(std::shared_ptr<TurnEndListener> listener) {
  if (turn_end_.empty()) boost::asio::post(context_, [this] { RunTurnEnd(); });
  turn_end_.push_back(std::move(listener));
}

void AsioLoop::RunTurnEnd() {
  turn_ending_.swap(turn_end_);
  for (std::shared_ptr<TurnEndListener>& listener : turn_ending_) {
    listener->OnTurnEnd();
    listener.reset();
  }
  turn_ending_.clear();
}

TimerId AsioLoop::RunAfter(absl::Duration delay, Task task) {
  const TimerId id = ++last_timer_;
  const Instant when =
      std::chrono::steady_clock::now() +
      absl::ToChronoNanoseconds(std::clamp(delay, absl::ZeroDuration(), kDelayMax));
  timers_.emplace(TimerKey{when, id}, std::move(task));
  timer_times_.emplace(id, when);
  if (when < armed_for_) ArmTimer();
  return id;
}

void AsioLoop::Cancel(TimerId timer) {
  const auto entry = timer_times_.find(timer);
  if (entry == timer_times_.end()) return;
  timers_.erase(TimerKey{entry->second, timer});
  timer_times_.erase(entry);
}

void AsioLoop::ArmTimer() {
  if (timers_.empty()) {
    armed_for_ = Instant::max();
    return;
  }
  armed_for_ = timers_.begin()->first.first;
  timer_.expires_at(armed_for_);  // Cancels the wait before.
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) RunTimers();
  });
}

void AsioLoop::RunTimers() {
  armed_for_ = Instant::max();
  const Instant now = std::chrono::steady_clock::now();
  // Timers that these tasks add are of a later turn, however short: last_due keeps them out.
  const TimerId last_due = last_timer_;
  while (!timers_.empty()) {
    const auto first = timers_.begin();
    if (first->first.first > now || first->first.second > last_due) break;
    Task task = std::move(first->second);
    timer_times_.erase(first->first.second);
    timers_.erase(first);
    std::move(task)();
  }
  ArmTimer();
}

}  // namespace bdcsync::gateway
