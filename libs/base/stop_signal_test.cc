#include "libs/base/stop_signal.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/base/timed_cond_var.h"

namespace bdcsync {
namespace {

TEST(StopSignal, AWaitEndsAtItsLimitOrAtTheStop) {
  StopSignal signal;
  EXPECT_FALSE(signal.stopped());
  EXPECT_FALSE(signal.WaitFor(absl::ZeroDuration()));
  EXPECT_FALSE(signal.WaitFor(-absl::InfiniteDuration()));
  const SystemClock clock;
  const absl::Duration before = clock.Monotonic();
  EXPECT_FALSE(signal.WaitFor(absl::Milliseconds(20)));
  EXPECT_GE(clock.Monotonic() - before, absl::Milliseconds(20));
  signal.Stop();
  EXPECT_TRUE(signal.stopped());
  EXPECT_TRUE(signal.WaitFor(absl::InfiniteDuration()));
  signal.Stop();
  EXPECT_TRUE(signal.WaitFor(absl::ZeroDuration()));
}

TEST(StopSignal, AStopEndsAllWaits) {
  StopSignal signal;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(signal.WaitFor(absl::InfiniteDuration())); });
  }
  signal.Stop();
  for (std::thread& thread : threads) thread.join();
}

TEST(TimedCondVar, HandsWorkFromThreadToThread) {
  constexpr int kRounds = 1000;
  absl::Mutex mutex;
  TimedCondVar changed;
  int turn = 0;
  const auto play = [&](int parity) {
    for (int round = 0; round < kRounds; ++round) {
      absl::MutexLock lock(&mutex);
      ASSERT_TRUE(
          changed.AwaitFor(mutex, absl::InfiniteDuration(), [&] { return turn % 2 == parity; }));
      ++turn;
      changed.Signal();
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  EXPECT_EQ(turn, 2 * kRounds);
}

TEST(TimedCondVar, SaysAtItsLimitWhatHolds) {
  absl::Mutex mutex;
  TimedCondVar changed;
  absl::MutexLock lock(&mutex);
  EXPECT_FALSE(changed.AwaitFor(mutex, absl::Milliseconds(5), [] { return false; }));
  EXPECT_TRUE(changed.AwaitFor(mutex, -absl::Seconds(1), [] { return true; }));
}

}  // namespace
}  // namespace bdcsync
