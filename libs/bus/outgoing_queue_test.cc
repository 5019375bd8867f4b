#include "libs/bus/outgoing_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace bdcsync::bus {
namespace {

constexpr std::size_t kManyMessages = 100;
constexpr std::size_t kManyBytes = 1 << 20;

std::vector<std::string> PayloadsOf(const std::vector<OutgoingMessage>& batch) {
  std::vector<std::string> payloads;
  for (const OutgoingMessage& message : batch) payloads.push_back(message.payload);
  return payloads;
}

TEST(OutgoingQueueTest, WhoAwaitsAMessageLeavesItAndWhatComesMeanwhileIsTakenWithIt) {
  OutgoingQueue queue(kManyMessages, kManyBytes);
  std::thread sender([&] { queue.Push("c", "one"); });
  EXPECT_TRUE(queue.Await(absl::InfiniteDuration()));
  sender.join();
  queue.Push("c", "two");
  std::vector<OutgoingMessage> batch;
  ASSERT_TRUE(queue.Take(kManyMessages, kManyBytes, absl::ZeroDuration(), batch));
  EXPECT_EQ(PayloadsOf(batch), (std::vector<std::string>{"one", "two"}));
}

TEST(OutgoingQueueTest, WithoutAMessageTheWaitEndsAndNothingIsTaken) {
  OutgoingQueue queue(kManyMessages, kManyBytes);
  EXPECT_TRUE(queue.Await(absl::Milliseconds(1)));
  std::vector<OutgoingMessage> batch;
  ASSERT_TRUE(queue.Take(kManyMessages, kManyBytes, absl::ZeroDuration(), batch));
  EXPECT_TRUE(batch.empty());
}

TEST(OutgoingQueueTest, StopEndsTheWait) {
  OutgoingQueue queue(kManyMessages, kManyBytes);
  std::thread stopper([&] { queue.Stop(); });
  EXPECT_FALSE(queue.Await(absl::InfiniteDuration()));
  stopper.join();
  EXPECT_FALSE(queue.Await(absl::InfiniteDuration()));
}

TEST(OutgoingQueueTest, WakeEndsTheWaitAndOneTake) {
  OutgoingQueue queue(kManyMessages, kManyBytes);
  std::thread waker([&] { queue.Wake(); });
  EXPECT_TRUE(queue.Await(absl::InfiniteDuration()));
  waker.join();
  std::vector<OutgoingMessage> batch;
  EXPECT_TRUE(queue.Take(kManyMessages, kManyBytes, absl::InfiniteDuration(), batch));
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace bdcsync::bus
