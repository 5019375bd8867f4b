#include "libs/rpc/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/synchronization/notification.h"

namespace bdcsync::rpc {
namespace {

using ::testing::ElementsAre;

TEST(WorkerPool, RunsTasksInOrderOnOneThread) {
  std::vector<int> order;
  {
    WorkerPool pool({.threads = 1});
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(pool.Submit([&order, i] { order.push_back(i); }));
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(WorkerPool, RefusesWhatItsQueueCannotHold) {
  WorkerPool pool({.threads = 1, .queued_max = 2});
  absl::Notification started;
  absl::Notification release;
  ASSERT_TRUE(pool.Submit([&] {
    started.Notify();
    release.WaitForNotification();
  }));
  started.WaitForNotification();
  std::atomic<int> ran{0};
  EXPECT_TRUE(pool.Submit([&] { ++ran; }));
  EXPECT_TRUE(pool.Submit([&] { ++ran; }));
  EXPECT_EQ(pool.queued(), 2u);
  EXPECT_FALSE(pool.Submit([&] { ++ran; }));
  release.Notify();
  pool.Stop();
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPool, RefusesEverythingAfterStop) {
  WorkerPool pool({.threads = 2});
  pool.Stop();
  EXPECT_FALSE(pool.Submit([] { FAIL(); }));
  pool.Stop();
}

TEST(WorkerPool, ThreadsWorkAtTheSameTime) {
  WorkerPool pool({.threads = 2});
  absl::Notification first;
  absl::Notification second;
  ASSERT_TRUE(pool.Submit([&] {
    first.Notify();
    second.WaitForNotification();
  }));
  ASSERT_TRUE(pool.Submit([&] {
    first.WaitForNotification();
    second.Notify();
  }));
  pool.Stop();
}

}  // namespace
}  // namespace bdcsync::rpc
