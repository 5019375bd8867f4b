#include "libs/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace bdcsync::metrics {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MetricInfo kOps{"bdcsync_test_operations_total", "Operations."};
constexpr MetricInfo kQueue{"bdcsync_test_queue_items", "Waiting items."};
constexpr MetricInfo kSeconds{"bdcsync_test_request_seconds", "Time of a request."};

TEST(Registry, RendersTheTextFormat) {
  Registry registry;
  registry.AddCounter(kOps, {{"outcome", "applied"}}).Add(3);
  registry.AddCounter(kOps, {{"outcome", "a\"b\\c\nd"}}).Add();
  Gauge& queue = registry.AddGauge(kQueue);
  queue.Set(5);
  queue.Add(-2);
  const std::string text = registry.Render();
  EXPECT_THAT(text, AllOf(HasSubstr("# HELP bdcsync_test_operations_total Operations.\n"
                                    "# TYPE bdcsync_test_operations_total counter\n"),
                          HasSubstr("bdcsync_test_operations_total{outcome=\"applied\"} 3\n"),
                          HasSubstr("{outcome=\"a\\\"b\\\\c\\nd\"} 1\n"),
                          HasSubstr("bdcsync_test_queue_items 3\n")));
  EXPECT_THAT(registry.names(),
              ElementsAre("bdcsync_test_operations_total", "bdcsync_test_queue_items"));
}

TEST(Registry, BucketsOfHistogramsAreCumulativeAndIncludeTheirBound) {
  Registry registry;
  Histogram& seconds = registry.AddHistogram(kSeconds, {0.1, 1});
  seconds.Observe(absl::Milliseconds(100));
  seconds.Observe(0.5);
  seconds.Observe(7.0);
  EXPECT_THAT(registry.Render(),
              AllOf(HasSubstr("_bucket{le=\"0.1\"} 1\n"), HasSubstr("_bucket{le=\"1\"} 2\n"),
                    HasSubstr("_bucket{le=\"+Inf\"} 3\n"), HasSubstr("_count 3\n"),
                    HasSubstr("_sum 7.6\n")));
}

TEST(Registry, CallbacksAreAskedAtEachRender) {
  Registry registry;
  double value = 1;
  registry.AddGaugeCallback(kQueue, {}, [&] { return value; });
  registry.AddCounterCallback(kOps, {}, [&] { return value * 10; });
  EXPECT_THAT(registry.Render(), HasSubstr("bdcsync_test_queue_items 1\n"));
  value = 2;
  EXPECT_THAT(registry.Render(), AllOf(HasSubstr("bdcsync_test_queue_items 2\n"),
                                       HasSubstr("bdcsync_test_operations_total 20\n")));
}

TEST(Registry, ACallbackMayUseTheRegistry) {
  Registry registry;
  registry.AddGaugeCallback(kQueue, {}, [&] {
    registry.AddCounter(kOps).Add();
    return static_cast<double>(registry.names().size());
  });
  EXPECT_THAT(registry.Render(), HasSubstr("bdcsync_test_queue_items 2\n"));
}

TEST(Registry, TheSameNameAndLabelsAreTheSameMetric) {
  Registry registry;
  EXPECT_EQ(&registry.AddCounter(kOps, {{"a", "1"}}), &registry.AddCounter(kOps, {{"a", "1"}}));
  EXPECT_NE(&registry.AddCounter(kOps, {{"a", "1"}}), &registry.AddCounter(kOps, {{"a", "2"}}));
}

TEST(Registry, TwoMeaningsOfOneNameAreABug) {
  Registry registry;
  registry.AddCounter(kOps);
  registry.AddHistogram(kSeconds, {1});
  EXPECT_DEATH(registry.AddGauge(kOps), "declared twice");
  EXPECT_DEATH(registry.AddCounter({kOps.name, "Something else."}), "declared twice");
  EXPECT_DEATH(registry.AddHistogram(kSeconds, {2}), "other buckets");
  EXPECT_DEATH(registry.AddCounterCallback(kOps, {}, [] { return 0.0; }), "has a value already");
}

TEST(Registry, ManyThreadsCountExactly) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10000;
  Registry registry;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        registry.AddCounter(kOps).Add();
        registry.AddHistogram(kSeconds, {1}).Observe(1.0);
        if (n % 1000 == 0) registry.Render();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(registry.AddCounter(kOps).value(), kThreads * kEach);
  EXPECT_EQ(registry.AddHistogram(kSeconds, {1}).count(), kThreads * kEach);
  EXPECT_EQ(registry.AddHistogram(kSeconds, {1}).sum(), kThreads * kEach);
}

}  // namespace
}  // namespace bdcsync::metrics
