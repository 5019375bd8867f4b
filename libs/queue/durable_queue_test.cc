#include "libs/queue/durable_queue.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "libs/testing/sqlite_faults.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::queue {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

constexpr size_t kAll = 1000;
constexpr size_t kPlenty = 1 << 20;

class DurableQueueTest : public ::testing::Test {
 protected:
  DurableQueueTest() {
    std::string folder = ::testing::TempDir() + "queue-XXXXXX";
    folder_ = mkdtemp(folder.data());
    Open();
  }
  ~DurableQueueTest() override {
    queue_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(QueueLimits limits = {}) {
    queue_.reset();
    auto queue = DurableQueue::Open(folder_ + "/queue.db", limits, clock_, random_);
    ASSERT_OK(queue);
    queue_ = *std::move(queue);
  }
  // Adds one item and returns its status.
  absl::Status Push(const std::string& payload, std::vector<std::string> keys,
                    const std::string& lane = "lane") {
    const std::vector<NewItem> items = {{lane, std::move(keys), payload}};
    auto statuses = queue_->Push(items);
    return statuses.ok() ? statuses->front() : statuses.status();
  }
  std::vector<std::string> Take(size_t items_max = kAll, size_t bytes_max = kPlenty) {
    const auto items = queue_->Take(items_max, bytes_max);
    EXPECT_OK(items);
    std::vector<std::string> payloads;
    for (const Item& item : *items) {
      payloads.push_back(item.payload);
      ids_[item.payload] = item.id;
    }
    return payloads;
  }
  void Complete(const std::string& payload) {
    const std::vector<int64_t> ids = {ids_.at(payload)};
    EXPECT_OK(queue_->Complete(ids));
  }
  void Retry(const std::string& payload) {
    const std::vector<int64_t> ids = {ids_.at(payload)};
    queue_->Retry(ids);
  }
  static std::vector<std::string> Keys(std::vector<std::string> keys) { return keys; }
  std::vector<std::string> Parked(size_t bytes_max = kPlenty) {
    std::vector<std::string> parked;
    const auto items = queue_->ListParked(0, kAll, bytes_max);
    EXPECT_OK(items);
    for (const ParkedItem& item : *items) {
      parked.push_back(item.item.payload + " " + item.reason);
    }
    return parked;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{1};
  std::string folder_;
  std::unique_ptr<DurableQueue> queue_;
  std::map<std::string, int64_t> ids_;
};

TEST_F(DurableQueueTest, HandsOutInOrderAndForgetsWhatIsDone) {
  for (const char* payload : {"a", "b", "c"}) ASSERT_OK(Push(payload, {payload}));
  EXPECT_THAT(Take(2), ElementsAre("a", "b"));
  EXPECT_THAT(Take(), ElementsAre("c"));
  EXPECT_THAT(Take(), IsEmpty());
  for (const char* payload : {"a", "b", "c"}) Complete(payload);
  EXPECT_EQ(queue_->waiting(), 0u);
  EXPECT_EQ(queue_->bytes(), 0);
  EXPECT_FALSE(queue_->Holds("lane"));
}

TEST_F(DurableQueueTest, WhatSharesAKeyComesOneAfterAnother) {
  ASSERT_OK(Push("first of x", {"x"}));
  ASSERT_OK(Push("of x and y", {"x", "y"}));
  ASSERT_OK(Push("last of y", {"y"}));
  ASSERT_OK(Push("of z", {"z"}));
  EXPECT_THAT(Take(), ElementsAre("first of x", "of z"));
  Complete("first of x");
  EXPECT_THAT(Take(), ElementsAre("of x and y"));
  Complete("of x and y");
  EXPECT_THAT(Take(), ElementsAre("last of y"));
}

TEST_F(DurableQueueTest, SurvivesARestartWithWhatWasInFlight) {
  ASSERT_OK(Push("a", {"x"}));
  ASSERT_OK(Push("b", {"x"}));
  ASSERT_OK(Push("done", {"y"}));
  Take();
  Complete("done");
  Open();
  EXPECT_EQ(queue_->waiting(), 2u);
  EXPECT_TRUE(queue_->Holds("lane"));
  EXPECT_THAT(Take(), ElementsAre("a"));
}

TEST_F(DurableQueueTest, AFailedAttemptWaitsLongerEachTimeAndThenIsMadeAgain) {
  ASSERT_OK(Push("a", {"x"}));
  ASSERT_OK(Push("behind", {"x"}));
  absl::Duration longest;
  for (int attempt = 0; attempt < 20; ++attempt) {
    ASSERT_THAT(Take(), ElementsAre("a"));
    Retry("a");
    const absl::Duration wait = queue_->NextDue();
    EXPECT_LE(wait, QueueLimits().backoff_max);
    if (wait > absl::ZeroDuration()) {
      EXPECT_THAT(Take(), IsEmpty());
    }
    longest = std::max(longest, wait);
    clock_.Advance(wait);
  }
  EXPECT_GT(longest, QueueLimits().backoff_initial * 10);
}

TEST_F(DurableQueueTest, ARefusedItemIsKeptWithItsFollowersAndHoldsUpNobodyElse) {
  ASSERT_OK(Push("bad", {"x"}));
  ASSERT_OK(Push("follows", {"x", "y"}));
  ASSERT_OK(Push("follows in turn", {"y"}));
  ASSERT_OK(Push("other", {"z"}));
  Take();
  const auto followers = queue_->Park(ids_["bad"], Keys({"x"}), "what is left", "forbidden");
  ASSERT_OK(followers);
  EXPECT_THAT(*followers, SizeIs(2));
  EXPECT_THAT(Parked(), ElementsAre("what is left forbidden", "follows depends_on_rejected",
                                    "follows in turn depends_on_rejected"));
  Complete("other");
  ASSERT_OK(Push("later", {"x"}));
  EXPECT_THAT(Take(), ElementsAre("later"));
  Open();
  EXPECT_EQ(queue_->parked(), 3u);
  EXPECT_EQ(queue_->waiting(), 1u);
}

TEST_F(DurableQueueTest, ParkedItemsAreTriedAgainAtTheirPlaceOrDiscarded) {
  ASSERT_OK(Push("first", {"x"}));
  ASSERT_OK(Push("second", {"y"}));
  Take();
  ASSERT_OK(queue_->Park(ids_["first"], {}, "first", "no"));
  ASSERT_OK(queue_->Park(ids_["second"], {}, "second", "no"));
  ASSERT_OK(Push("third", {"x"}));
  ASSERT_OK(queue_->Unpark({ids_["first"]}));
  EXPECT_THAT(Take(), ElementsAre("first"));
  ASSERT_OK(queue_->Discard({ids_["second"]}));
  EXPECT_THAT(Parked(), IsEmpty());
}

TEST_F(DurableQueueTest, EachParkedItemIsTriedAgainOrDiscardedOnce) {
  for (const char* name : {"first", "second", "third"}) {
    ASSERT_OK(Push(name, {name}));
    Take();
    ASSERT_OK(queue_->Park(ids_[name], {}, name, "no"));
  }
  const int64_t unknown = 1'000'000;
  ASSERT_OK_AND_ASSIGN(const auto lanes,
                       queue_->Unpark({ids_["first"], unknown, ids_["third"], ids_["first"]}));
  EXPECT_THAT(lanes, ElementsAre(IsOk(), HasReason(Reason::kNotFound), IsOk(),
                                 HasReason(Reason::kNotFound)));
  ASSERT_OK_AND_ASSIGN(const auto statuses,
                       queue_->Discard({ids_["third"], ids_["second"], ids_["second"]}));
  EXPECT_THAT(statuses,
              ElementsAre(HasReason(Reason::kNotFound), IsOk(), HasReason(Reason::kNotFound)));
  EXPECT_EQ(queue_->bytes(), static_cast<int64_t>(std::string("firstthird").size()));
  Open();
  EXPECT_THAT(Take(), ElementsAre("first", "third"));
  EXPECT_EQ(queue_->parked(), 0u);
}

TEST_F(DurableQueueTest, IsBoundedInItems) {
  Open({.items_max = 2});
  ASSERT_OK(Push("a", {"x"}));
  ASSERT_OK(Push("b", {"x"}));
  EXPECT_THAT(Push("c", {"x"}), HasReason(Reason::kQuotaExceeded));
  Take();
  Complete("a");
  EXPECT_OK(Push("c", {"x"}));
}

TEST_F(DurableQueueTest, IsBoundedInBytes) {
  Open({.bytes_max = 10});
  ASSERT_OK(Push("12345", {"x"}));
  EXPECT_THAT(Push("123456", {"x"}), HasReason(Reason::kQuotaExceeded));
  EXPECT_OK(Push("12345", {"x"}));
}

TEST_F(DurableQueueTest, OfOnePushWhatFitsIsKept) {
  Open({.items_max = 1});
  const std::vector<NewItem> items = {{"l", {"x"}, "a"}, {"l", {"y"}, "b"}};
  const auto statuses = queue_->Push(items);
  ASSERT_OK(statuses);
  EXPECT_OK((*statuses)[0]);
  EXPECT_THAT((*statuses)[1], HasReason(Reason::kQuotaExceeded));
}

TEST_F(DurableQueueTest, HandsOutNoMoreBytesThanAskedForButAtLeastOne) {
  ASSERT_OK(Push("12345", {"x"}));
  ASSERT_OK(Push("67890", {"y"}));
  EXPECT_THAT(Take(kAll, 3), ElementsAre("12345"));
  EXPECT_THAT(Take(kAll, 5), ElementsAre("67890"));
}

TEST_F(DurableQueueTest, TellsHowOldTheOldestIs) {
  EXPECT_EQ(queue_->oldest(), std::nullopt);
  const absl::Time start = clock_.Now();
  ASSERT_OK(Push("a", {"x"}));
  clock_.Advance(absl::Seconds(5));
  ASSERT_OK(Push("b", {"y"}));
  EXPECT_EQ(queue_->oldest(), start);
}

TEST_F(DurableQueueTest, ListsNoMoreParkedBytesThanAskedForButTwoItems) {
  for (const char* payload : {"12345", "67890", "abcde", "f"}) ASSERT_OK(Push(payload, {payload}));
  Take();
  for (const auto& [payload, id] : ids_) ASSERT_OK(queue_->Park(id, {}, payload, "no"));
  EXPECT_THAT(Parked(0), SizeIs(2));
  EXPECT_THAT(Parked(10), SizeIs(3));
  EXPECT_THAT(Parked(15), SizeIs(4));
}

TEST_F(DurableQueueTest, OnlyFollowersUnderTheRefusedKeysAreParked) {
  ASSERT_OK(Push("half bad", {"x", "y"}));
  ASSERT_OK(Push("behind x", {"x"}));
  ASSERT_OK(Push("behind y", {"y"}));
  Take();
  ASSERT_OK(queue_->Park(ids_["half bad"], Keys({"x"}), "x", "no"));
  EXPECT_THAT(Take(), ElementsAre("behind y"));
}

TEST_F(DurableQueueTest, WhatIsInFlightDoesNotWaitBehindOneThatWasPutBeforeIt) {
  ASSERT_OK(Push("joins x and y", {"x", "y"}));
  Take();
  ASSERT_OK(queue_->Park(ids_["joins x and y"], {}, "joins x and y", "no"));
  ASSERT_OK(Push("of y", {"y"}));
  ASSERT_OK(Push("also of y", {"y"}));
  ASSERT_THAT(Take(), ElementsAre("of y"));
  ASSERT_OK(queue_->Unpark({ids_["joins x and y"]}));
  ASSERT_THAT(Take(), ElementsAre("joins x and y"));
  const auto followers = queue_->Park(ids_["joins x and y"], Keys({"x", "y"}), "rest", "no");
  ASSERT_OK(followers);
  ASSERT_THAT(*followers, SizeIs(1));  // Not what is in flight: its own answer tells.
  EXPECT_EQ(followers->front().payload, "also of y");
  Complete("of y");
  EXPECT_EQ(queue_->waiting(), 0u);
  EXPECT_EQ(queue_->parked(), 2u);
}

TEST_F(DurableQueueTest, WhatAFullDiskKeepsHoldsUpNobodyAndIsForgottenLater) {
  testing::SqliteFaults faults;
  Open({.items_max = 2});
  ASSERT_OK(Push("a", {"x"}));
  ASSERT_OK(Push("b", {"x"}));
  ASSERT_THAT(Take(), ElementsAre("a"));
  faults.SetLogFull(true);
  const std::vector<int64_t> ids = {ids_["a"]};
  EXPECT_FALSE(queue_->Complete(ids).ok());
  EXPECT_EQ(queue_->kept(), 1u);
  EXPECT_EQ(queue_->waiting(), 1u);
  EXPECT_THAT(Take(), ElementsAre("b"));
  Open({.items_max = 2});  // Nothing was forgotten.
  ASSERT_THAT(Take(), ElementsAre("a"));
  EXPECT_FALSE(queue_->Complete(ids).ok());
  EXPECT_FALSE(queue_->Complete({}).ok());
  faults.SetLogFull(false);
  EXPECT_THAT(Push("c", {"y"}), HasReason(Reason::kQuotaExceeded)) << "it takes its place still";
  EXPECT_OK(queue_->Complete({}));
  EXPECT_EQ(queue_->kept(), 0u);
  EXPECT_EQ(queue_->bytes(), 1);
  EXPECT_OK(Push("c", {"y"}));
  Open();
  EXPECT_THAT(Take(), ElementsAre("b", "c"));
}

TEST_F(DurableQueueTest, WhatWasReleasedIsDueAtOnce) {
  ASSERT_OK(Push("a", {"x"}));
  Take();
  const std::vector<int64_t> ids = {ids_["a"]};
  queue_->Release(ids);
  EXPECT_THAT(Take(), ElementsAre("a"));
}

TEST_F(DurableQueueTest, AnItemThatRepeatsAKeyIsNotBehindItself) {
  ASSERT_OK(Push("a", {"x", "x"}));
  EXPECT_THAT(Take(), ElementsAre("a"));
  Complete("a");
}

}  // namespace
}  // namespace bdcsync::queue
