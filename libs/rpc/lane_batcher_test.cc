#include "libs/rpc/lane_batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "libs/base/ids.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Item {
  uint64_t lane = 0;
  int number = 0;
  std::size_t bytes = 1;
};
using Batcher = LaneBatcher<Item>;

// Batches that were sent and not done, in order; the test decides when each is done.
class Harness {
 public:
  explicit Harness(LaneBatcherLimits limits)
      : batcher(
            limits, [](const Item& item) { return item.bytes; },
            [this](std::vector<Item> batch, Batcher::Done done) {
              sent.push_back(Numbers(batch));
              waiting.push_back(std::move(done));
            }) {}

  static std::vector<int> Numbers(const std::vector<Item>& batch) {
    std::vector<int> numbers;
    for (const Item& item : batch) numbers.push_back(item.number);
    return numbers;
  }
  bool Submit(uint64_t lane, int number, std::size_t bytes = 1) {
    return batcher.Submit(lane, Item{lane, number, bytes});
  }
  bool SubmitGroup(const Batcher::Lanes& lanes, const std::vector<int>& numbers) {
    std::vector<Item> group;
    for (const int number : numbers) group.push_back({0, number});
    return batcher.SubmitGroup(lanes, std::move(group));
  }
  void FinishFirst() {
    Batcher::Done done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done();
  }

  std::vector<std::vector<int>> sent;
  std::vector<Batcher::Done> waiting;
  Batcher batcher;
};

TEST(LaneBatcher, SendsAtOnceWhenIdle) {
  Harness harness({});
  EXPECT_TRUE(harness.Submit(1, 10));
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(10)));
  EXPECT_EQ(harness.batcher.in_flight(), 1u);
  harness.FinishFirst();
  EXPECT_TRUE(harness.batcher.idle());
}

TEST(LaneBatcher, ManyGroupsGoTogetherAndAreTakenAllOrNone) {
  using Groups = std::vector<std::pair<uint64_t, std::vector<Item>>>;
  Harness h({.in_flight_max = 1, .queued_items_max = 3});
  EXPECT_TRUE(h.batcher.SubmitGroups(Groups{{1, {{1, 1}}}, {2, {{2, 2}, {2, 3}}}, {3, {}}}));
  EXPECT_THAT(h.sent, ElementsAre(ElementsAre(1, 2, 3)));
  EXPECT_TRUE(h.Submit(4, 4));
  Groups more = {{5, {{5, 5}}}, {6, {{6, 6}}}, {7, {{7, 7}}}};
  EXPECT_FALSE(h.batcher.SubmitGroups(std::move(more))) << "three have room, and one waits";
  ASSERT_THAT(more, SizeIs(3));  // NOLINT(bugprone-use-after-move): untouched when refused.
  EXPECT_THAT(more[2].second, SizeIs(1));
  more.pop_back();
  EXPECT_TRUE(h.batcher.SubmitGroups(std::move(more)));
  h.FinishFirst();
  EXPECT_THAT(h.sent.back(), ElementsAre(4, 5, 6));
}

TEST(LaneBatcher, GathersALaneWhileItIsInFlight) {
  Harness harness({});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(harness.Submit(1, i));
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(0)));
  EXPECT_EQ(harness.batcher.queued(), 3u);
  harness.FinishFirst();
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(0), ElementsAre(1, 2, 3)));
}

TEST(LaneBatcher, AnotherLaneUsesTheRoomInFlight) {
  Harness harness({.in_flight_max = 2});
  EXPECT_TRUE(harness.Submit(1, 10));
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_TRUE(harness.Submit(3, 30));
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(10), ElementsAre(20)));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(10), ElementsAre(20), ElementsAre(30)));
}

TEST(LaneBatcher, AReadyLaneMergesWithOthersIntoOneBatch) {
  Harness harness({.in_flight_max = 1});
  EXPECT_TRUE(harness.Submit(1, 10));
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_TRUE(harness.Submit(1, 11));
  EXPECT_TRUE(harness.Submit(3, 30));
  harness.FinishFirst();
  // Lane 1 becomes ready again only when its batch is done, behind those that were ready.
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(10), ElementsAre(20, 30, 11)));
}

TEST(LaneBatcher, BatchesHoldAtMostTheLimitOfItems) {
  for (const int extra : {-1, 0, 1}) {
    constexpr int kMax = 4;
    Harness harness({.in_flight_max = 1, .batch_items_max = kMax});
    EXPECT_TRUE(harness.Submit(9, 0));
    for (int i = 0; i < kMax + extra; ++i) EXPECT_TRUE(harness.Submit(1, i));
    harness.FinishFirst();
    ASSERT_THAT(harness.sent, SizeIs(2));
    EXPECT_THAT(harness.sent[1], SizeIs(std::min(kMax, kMax + extra)));
    EXPECT_EQ(harness.batcher.queued(), extra == 1 ? 1u : 0u);
    harness.FinishFirst();
    EXPECT_EQ(harness.sent.size(), extra == 1 ? 3u : 2u);
  }
}

TEST(LaneBatcher, BatchesHoldAtMostTheLimitOfBytes) {
  Harness harness({.in_flight_max = 1, .batch_bytes_max = 100});
  EXPECT_TRUE(harness.Submit(9, 0));
  EXPECT_TRUE(harness.Submit(1, 1, 60));
  EXPECT_TRUE(harness.Submit(1, 2, 40));
  EXPECT_TRUE(harness.Submit(1, 3, 1));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(1, 2));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(3));
}

TEST(LaneBatcher, ATooLargeItemGoesAlone) {
  Harness harness({.in_flight_max = 1, .batch_bytes_max = 100});
  EXPECT_TRUE(harness.Submit(9, 0));
  EXPECT_TRUE(harness.Submit(1, 1, 101));
  EXPECT_TRUE(harness.Submit(2, 2, 1));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(1));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(2));
}

TEST(LaneBatcher, GroupsAreNeverSplit) {
  Harness harness({.in_flight_max = 1, .batch_items_max = 4});
  EXPECT_TRUE(harness.Submit(9, 0));
  EXPECT_TRUE(harness.SubmitGroup({1}, {1, 2, 3}));
  EXPECT_TRUE(harness.SubmitGroup({1}, {4, 5}));
  EXPECT_TRUE(harness.SubmitGroup({2}, {6, 7, 8, 9, 10}));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(1, 2, 3));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(6, 7, 8, 9, 10));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(4, 5));
  harness.FinishFirst();
  EXPECT_TRUE(harness.batcher.idle());
}

TEST(LaneBatcher, AGroupWaitsForAllItsLanesAndHoldsThem) {
  Harness harness({.in_flight_max = 4});
  EXPECT_TRUE(harness.Submit(1, 10));
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_TRUE(harness.SubmitGroup({1, 2, 3, 1}, {30, 31}));
  EXPECT_TRUE(harness.Submit(3, 40));  // Behind the group, though lane 3 is not in flight.
  EXPECT_TRUE(harness.Submit(4, 50));
  EXPECT_THAT(harness.sent, ElementsAre(ElementsAre(10), ElementsAre(20), ElementsAre(50)));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent, SizeIs(3)) << "lane 2 is in flight";
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(30, 31, 40));
  EXPECT_TRUE(harness.Submit(2, 60));
  EXPECT_THAT(harness.sent, SizeIs(4));
  harness.FinishFirst();
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(60));
}

TEST(LaneBatcher, WhatDoesNotFitBehindItsLaneGoesInTheNextBatch) {
  Harness harness({.in_flight_max = 2, .batch_items_max = 3});
  EXPECT_TRUE(harness.Submit(9, 0));
  EXPECT_TRUE(harness.Submit(8, 1));
  EXPECT_TRUE(harness.SubmitGroup({1, 2}, {10, 11}));
  EXPECT_TRUE(harness.SubmitGroup({2, 3}, {20, 21}));
  EXPECT_TRUE(harness.SubmitGroup({1, 3}, {30}));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(10, 11));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent, SizeIs(3)) << "lane 2 is in flight";
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(20, 21, 30));
  harness.FinishFirst();
  EXPECT_TRUE(harness.batcher.idle());
}

TEST(LaneBatcher, ABatchJoinsOthersWhenItIsWorthTheTrip) {
  Harness harness({.in_flight_max = 3, .batch_items_max = 6, .join_percent = 50});
  EXPECT_TRUE(harness.SubmitGroup({1}, {10, 11, 12, 13}));
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_TRUE(harness.Submit(1, 14));  // Its lane is in flight: it does not count.
  EXPECT_THAT(harness.sent, SizeIs(1));
  EXPECT_TRUE(harness.Submit(3, 30));
  EXPECT_THAT(harness.sent.back(), ElementsAre(20, 30));
  EXPECT_TRUE(harness.Submit(4, 40));  // On average the two have three, of which one is not half.
  EXPECT_THAT(harness.sent, SizeIs(2));
  harness.FinishFirst();  // Two are left, and two are ready.
  EXPECT_THAT(harness.sent.back(), ElementsAre(40, 14));
}

TEST(LaneBatcher, AFullBatchJoinsOthersHoweverLargeTheyAre) {
  Harness harness({.batch_items_max = 2, .join_percent = 100});
  EXPECT_TRUE(harness.SubmitGroup({1}, {10, 11, 12, 13}));  // Alone, beyond the limit.
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_THAT(harness.sent, SizeIs(1));
  EXPECT_TRUE(harness.Submit(3, 30));
  EXPECT_THAT(harness.sent.back(), ElementsAre(20, 30));
}

TEST(LaneBatcher, ASmallBatchWaitsAtMostForTheOneInFlight) {
  Harness harness({.join_percent = 100});
  EXPECT_TRUE(harness.SubmitGroup({1}, {10, 11}));
  EXPECT_TRUE(harness.Submit(2, 20));
  EXPECT_THAT(harness.sent, SizeIs(1));
  harness.FinishFirst();
  EXPECT_THAT(harness.sent.back(), ElementsAre(20));
}

TEST(LaneBatcher, AFullQueueRefusesAndLeavesTheItemUntouched) {
  LaneBatcher<std::string>::Done first_done;
  LaneBatcher<std::string> batcher(
      {.in_flight_max = 1, .queued_items_max = 2}, [](const std::string& s) { return s.size(); },
      [&](std::vector<std::string> batch, LaneBatcher<std::string>::Done done) {
        first_done = std::move(done);
      });
  EXPECT_TRUE(batcher.Submit(1, "in flight"));
  EXPECT_TRUE(batcher.Submit(1, "a"));
  EXPECT_TRUE(batcher.Submit(1, "b"));
  std::string refused = "refused";
  EXPECT_FALSE(batcher.Submit(1, std::move(refused)));
  EXPECT_EQ(refused, "refused");
  std::vector<std::string> group = {"c"};
  EXPECT_FALSE(batcher.SubmitGroup({2}, std::move(group)));
  EXPECT_THAT(group, ElementsAre("c"));
  EXPECT_TRUE(batcher.SubmitGroup({2}, {}));
  first_done();
  EXPECT_TRUE(batcher.Submit(1, std::move(refused)));
}

TEST(LaneBatcher, AnAnswerWithinSendNeitherDeadlocksNorGrowsTheStackForever) {
  std::size_t items = 0;
  Batcher batcher(
      {.in_flight_max = 1, .batch_items_max = 1}, [](const Item&) { return std::size_t{1}; },
      [&](std::vector<Item> batch, Batcher::Done done) {
        items += batch.size();
        done();
      });
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(batcher.Submit(1, Item{1, i}));
  EXPECT_EQ(items, 1000u);
  EXPECT_TRUE(batcher.idle());
}

TEST(LaneBatcher, ALongQueueDrainsOnASmallStackWhenAnswersAreImmediate) {
  constexpr int kItems = 100000;
  Batcher::Done first_done;
  int items = 0;
  Batcher batcher(
      {.in_flight_max = 1, .batch_items_max = 1, .queued_items_max = kItems},
      [](const Item&) { return std::size_t{1}; },
      [&](std::vector<Item> batch, Batcher::Done done) {
        if (items++ == 0) {
          first_done = std::move(done);
        } else {
          done();
        }
      });
  for (int i = 0; i < kItems; ++i) ASSERT_TRUE(batcher.Submit(1, Item{1, i}));
  first_done();
  EXPECT_EQ(items, kItems);
  EXPECT_TRUE(batcher.idle());
}

// Checks, on every batch, order within lanes and that no lane is in two batches at once.
class Checker {
 public:
  void Send(const std::vector<Item>& batch) {
    absl::MutexLock lock(&mutex_);
    std::set<uint64_t> lanes;
    for (const Item& item : batch) {
      lanes.insert(item.lane);
      EXPECT_EQ(item.number, next_[item.lane]++) << "lane " << item.lane;
    }
    for (const uint64_t lane : lanes) {
      EXPECT_TRUE(in_flight_.insert(lane).second) << "lane " << lane << " is in flight twice";
    }
    batches_max_ = std::max(batches_max_, ++batches_);
  }
  void Done(const std::vector<Item>& batch) {
    absl::MutexLock lock(&mutex_);
    for (const Item& item : batch) in_flight_.erase(item.lane);
    done_ += static_cast<int>(batch.size());
    --batches_;
  }
  void AwaitDone(int items) {
    absl::MutexLock lock(&mutex_);
    const auto all = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_ == items; };
    mutex_.Await(absl::Condition(&all));
  }
  int batches_max() const {
    absl::MutexLock lock(&mutex_);
    return batches_max_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<uint64_t, int> next_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> in_flight_ ABSL_GUARDED_BY(mutex_);
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  int batches_ ABSL_GUARDED_BY(mutex_) = 0;
  int batches_max_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(LaneBatcher, ManyThreadsKeepTheOrderOfEveryLane) {
  constexpr int kThreads = 4;
  constexpr int kLanesEach = 5;
  constexpr int kItemsEach = 2000;
  Checker checker;
  WorkerPool workers({.threads = 3, .queued_max = 1000});
  Batcher batcher(
      {.in_flight_max = 3, .batch_items_max = 16, .queued_items_max = 200},
      [](const Item&) { return std::size_t{1}; },
      [&](std::vector<Item> batch, Batcher::Done done) {
        checker.Send(batch);
        ASSERT_TRUE(
            workers.Submit([&checker, batch = std::move(batch), done = std::move(done)]() mutable {
              checker.Done(batch);
              done();
            }));
      });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kItemsEach; ++i) {
        const auto lane = static_cast<uint64_t>(t * kLanesEach + i % kLanesEach);
        Item item{lane, i / kLanesEach};
        while (!batcher.Submit(lane, std::move(item))) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  checker.AwaitDone(kThreads * kItemsEach);
  workers.Stop();
  EXPECT_TRUE(batcher.idle());
  EXPECT_LE(checker.batches_max(), 3);
}

TEST(LaneBatcher, ManyThreadsKeepTheOrderOfLanesThatGroupsShare) {
  constexpr int kThreads = 4;
  constexpr int kLanes = 7;
  constexpr int kGroupsEach = 2000;
  Checker checker;
  WorkerPool workers({.threads = 3, .queued_max = 1000});
  Batcher batcher(
      {.in_flight_max = 3, .batch_items_max = 16, .queued_items_max = 200, .join_percent = 50},
      [](const Item&) { return std::size_t{1}; },
      [&](std::vector<Item> batch, Batcher::Done done) {
        checker.Send(batch);
        ASSERT_TRUE(
            workers.Submit([&checker, batch = std::move(batch), done = std::move(done)]() mutable {
              checker.Done(batch);
              done();
            }));
      });
  absl::Mutex mutex;  // Numbers are given in the order in which groups are submitted.
  std::map<uint64_t, int> next;
  int submitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(static_cast<uint64_t>(t));
      for (int i = 0; i < kGroupsEach; ++i) {
        absl::MutexLock lock(&mutex);
        Batcher::Lanes lanes;
        std::vector<Item> group;
        for (uint64_t lane = 0; lane < kLanes; ++lane) {
          if (random.Bits64() % 3 != 0 && !(lanes.empty() && lane + 1 == kLanes)) continue;
          lanes.push_back(lane);
          group.push_back({lane, next[lane]++});
        }
        submitted += static_cast<int>(group.size());
        while (!batcher.SubmitGroup(lanes, std::move(group))) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  checker.AwaitDone(submitted);
  workers.Stop();
  EXPECT_TRUE(batcher.idle());
  EXPECT_LE(checker.batches_max(), 3);
}

}  // namespace
}  // namespace bdcsync::rpc
