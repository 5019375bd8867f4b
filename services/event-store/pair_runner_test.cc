#include "services/event-store/pair_runner.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace bdcsync::event_store {
namespace {

TEST(PairRunnerTest, BothRunAtOnceAndAreDoneWhenItReturns) {
  PairRunner runner;
  for (int round = 0; round < 100; ++round) {
    absl::Notification here, there;
    bool done = false;
    runner.Run(
        [&] {
          here.Notify();
          there.WaitForNotification();
        },
        [&] {
          there.Notify();
          here.WaitForNotification();
          done = true;
        });
    EXPECT_TRUE(done);
  }
}

TEST(PairRunnerTest, WhoFindsTheOtherThreadTakenWaitsForNobody) {
  PairRunner runner;
  absl::Notification taken, free;
  std::thread first([&] {
    runner.Run([] {},
               [&] {
                 taken.Notify();
                 free.WaitForNotification();
               });
  });
  taken.WaitForNotification();
  std::thread::id here, there;
  runner.Run([&] { here = std::this_thread::get_id(); },
             [&] { there = std::this_thread::get_id(); });
  EXPECT_EQ(here, std::this_thread::get_id());
  EXPECT_EQ(there, std::this_thread::get_id());
  free.Notify();
  first.join();
}

}  // namespace
}  // namespace bdcsync::event_store
