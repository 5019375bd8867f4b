// A large batch that comes alone is written in halves, each of other logs: what becomes of one must
// not touch the other, and what follows must know of both.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/hooked_storage.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

using ::testing::UnorderedElementsAre;
using Result = HookedStorage::Result;
using Writes = absl::Span<const LogWrite>;

constexpr uint32_t kLogs = 4;
constexpr int kItems = 200;
constexpr std::size_t kBatchItems = 512;

class WriterHalvesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EventStorageOptions options;
    options.log_count = kLogs;
    ASSERT_OK_AND_ASSIGN(beneath_, OpenSqliteEventStorage(sql::kSqliteMemory, options, random_));
    for (int i = 0; std::count(spaces_.begin(), spaces_.end(), "") > 0; ++i) {
      const std::string space = absl::StrCat("s", i);
      spaces_[LogOfSpace(space, kLogs)] = space;
    }
  }
  // The heads of all logs are known before `hook` sees a commit.
  void Start(HookedStorage::Hook hook) {
    auto warm = std::make_shared<std::atomic<bool>>(true);
    storage_ = std::make_unique<HookedStorage>(
        *beneath_, [warm, hook = std::move(hook)](EventStorage& beneath, Writes writes) {
          return warm->load() ? beneath.Commit(writes) : hook(beneath, writes);
        });
    store_ = std::make_unique<TestStore>(*storage_, clock_, sink_, 1, kBatchItems, true);
    v1::AppendRequest request;
    for (const std::string& space : spaces_) *request.add_items() = ItemFor(space, "warm", "");
    Append(request);
    warm->store(false);
  }
  v1::AppendResponse Append(const v1::AppendRequest& request) {
    const auto response = store_->store().AppendAndWait(request);
    EXPECT_OK(response);
    return response.ok() ? *response : v1::AppendResponse();
  }
  // As many items in each log.
  v1::AppendRequest LargeCall(const std::string& prefix) const {
    v1::AppendRequest request;
    for (int i = 0; i < kItems; ++i) {
      *request.add_items() = ItemFor(spaces_[i % kLogs], absl::StrCat(prefix, i), "x");
    }
    return request;
  }
  std::vector<v1::Event> WholeLog(uint32_t log_id) {
    std::vector<v1::Event> events;
    v1::ReadLogRequest request;
    request.set_log_id(log_id);
    while (true) {
      const auto page = store_->store().ReadLog(request);
      EXPECT_OK(page);
      if (!page.ok() || page->events().empty()) return events;
      events.insert(events.end(), page->events().begin(), page->events().end());
      request.set_after_position(events.back().position());
    }
  }
  // Positions of a log and revisions of each stream are dense. Returns how many events there are.
  std::size_t ExpectDense() {
    std::size_t count = 0;
    for (uint32_t log_id = 0; log_id < kLogs; ++log_id) {
      int64_t position = 0;
      std::map<std::string, int64_t> revisions;
      for (const v1::Event& event : WholeLog(log_id)) {
        EXPECT_EQ(event.position(), ++position);
        EXPECT_EQ(event.revision(), ++revisions[event.stream().name()]) << event.stream().name();
      }
      count += static_cast<std::size_t>(position);
    }
    return count;
  }

  SystemClock clock_;
  SystemRandom random_;
  IgnoringSink sink_;
  std::vector<std::string> spaces_ = std::vector<std::string>(kLogs);  // One in each log.
  std::unique_ptr<EventStorage> beneath_;
  std::unique_ptr<HookedStorage> storage_;
  std::unique_ptr<TestStore> store_;
};

TEST_F(WriterHalvesTest, BothAreCommittedAtOnceAndResultsStandInTheOrderOfItems) {
  absl::Barrier* both = new absl::Barrier(2);  // Who leaves it last deletes it.
  Start([both](EventStorage& beneath, Writes writes) {
    EXPECT_EQ(writes.size(), kLogs / 2);
    if (both->Block()) delete both;
    return beneath.Commit(writes);
  });
  const v1::AppendResponse response = Append(LargeCall("e"));
  ASSERT_EQ(response.results_size(), kItems);
  for (int i = 0; i < kItems; ++i) {
    EXPECT_EQ(response.results(i).appended().log_id(), i % kLogs);
    EXPECT_EQ(response.results(i).appended().position(), 2 + i / static_cast<int>(kLogs));
  }
  EXPECT_EQ(ExpectDense(), std::size_t{kLogs + kItems});
}

TEST_F(WriterHalvesTest, WhatFollowsKnowsOfBothWithoutReading) {
  std::atomic<int> commits{0};
  Start([&](EventStorage& beneath, Writes writes) {
    ++commits;
    return beneath.Commit(writes);
  });
  Append(LargeCall("e"));
  v1::AppendRequest second = LargeCall("e");
  for (v1::AppendItem& item : *second.mutable_items()) item.mutable_expected()->set_revision(1);
  const v1::AppendResponse response = Append(second);
  for (const v1::AppendResult& result : response.results()) {
    EXPECT_EQ(result.appended().revision(), 2) << result.ShortDebugString();
  }
  EXPECT_EQ(commits, 4) << "two calls in halves, each planned once";
  EXPECT_EQ(store_->observer().races_lost_, 0);
  EXPECT_EQ(ExpectDense(), std::size_t{kLogs + 2 * kItems});
}

TEST_F(WriterHalvesTest, AHalfWithoutAnAnswerLeavesTheOtherAndWhatFollowsGoesOn) {
  for (const bool applied : {false, true}) {
    std::atomic<int> commits{0};
    Start([&](EventStorage& beneath, Writes writes) -> Result {
      if (commits++ > 1 || writes[0].log_id != 0) return beneath.Commit(writes);
      if (applied) {
        EXPECT_OK(beneath.Commit(writes));
      }
      return absl::UnavailableError("cut off");
    });
    const std::size_t before = ExpectDense();
    const v1::AppendResponse response = Append(LargeCall("e"));
    const auto unknown = std::count_if(
        response.results().begin(), response.results().end(),
        [](const v1::AppendResult& result) { return result.error().code() == "unavailable"; });
    EXPECT_EQ(unknown, kItems / 2);
    const v1::AppendResponse next = Append(LargeCall("f"));
    for (const v1::AppendResult& result : next.results()) {
      EXPECT_TRUE(result.has_appended()) << result.ShortDebugString();
    }
    const std::size_t lost = applied ? 0 : kItems / 2;
    EXPECT_EQ(ExpectDense() - before, 2 * kItems - lost);
  }
}

TEST_F(WriterHalvesTest, AHalfThatLosesARaceIsPlannedBehindTheWinnerAndTheOtherIsNot) {
  std::atomic<bool> raced{false};
  std::atomic<int> commits{0};
  Start([&](EventStorage& beneath, Writes writes) {
    ++commits;
    if (writes[0].log_id == 0 && !raced.exchange(true)) {
      TestStore other(beneath, clock_, sink_, 1, kBatchItems);
      v1::AppendRequest request;
      *request.add_items() = ItemFor(spaces_[0], "e0", "by another");
      EXPECT_TRUE(other.store().AppendAndWait(request)->results(0).has_appended());
    }
    return beneath.Commit(writes);
  });
  const v1::AppendResponse response = Append(LargeCall("e"));
  for (const v1::AppendResult& result : response.results()) EXPECT_TRUE(result.has_appended());
  EXPECT_EQ(response.results(0).appended().revision(), 2);
  EXPECT_EQ(commits, 3);
  EXPECT_EQ(store_->observer().races_lost_, 1);
  EXPECT_EQ(ExpectDense(), std::size_t{kLogs + kItems + 1});
}

TEST_F(WriterHalvesTest, AGroupIsWholeOrNothingAndItsRefusalLeavesTheRest) {
  Start([](EventStorage& beneath, Writes writes) { return beneath.Commit(writes); });
  v1::AppendRequest request = LargeCall("e");
  for (const std::string& space : spaces_) {
    for (const bool good : {true, false}) {
      const auto group = static_cast<uint32_t>(request.items_size() + 1);
      for (const char* stream : {"g", "h"}) {
        v1::AppendItem& item = *request.add_items();
        item = ItemFor(space, absl::StrCat(stream, good), "x");
        item.set_atomic_group(group);
        // The second of a bad group expects what is not so.
        if (!good && *stream == 'h') item.mutable_expected()->set_exists(true);
      }
    }
  }
  const v1::AppendResponse response = Append(request);
  for (int i = 0; i < request.items_size(); ++i) {
    const bool bad = i >= kItems && (i - kItems) % 4 >= 2;
    EXPECT_EQ(response.results(i).has_appended(), !bad) << i;
  }
  EXPECT_EQ(ExpectDense(), kLogs + kItems + 2 * kLogs);
}

// Halves after halves would never plan ahead again.
TEST_F(WriterHalvesTest, WhatWaitedForHalvesIsOneCommit) {
  std::thread later;
  std::atomic<bool> first{true};
  absl::Mutex mutex;
  std::vector<std::size_t> logs;
  Start([&](EventStorage& beneath, Writes writes) {
    {
      absl::MutexLock lock(&mutex);
      logs.push_back(writes.size());
    }
    if (first.exchange(false)) {
      later = std::thread([&] { Append(LargeCall("f")); });
      const absl::Duration deadline = clock_.Monotonic() + absl::Seconds(20);
      while (store_->committer().queued() == 0 && clock_.Monotonic() < deadline) {
        std::this_thread::yield();
      }
    }
    return beneath.Commit(writes);
  });
  Append(LargeCall("e"));
  later.join();
  EXPECT_THAT(logs, UnorderedElementsAre(kLogs / 2, kLogs / 2, kLogs));
  Append(LargeCall("g"));
  EXPECT_EQ(logs.size(), 5) << "what comes alone again is in halves again";
  EXPECT_EQ(ExpectDense(), std::size_t{kLogs + 3 * kItems});
}

// Large calls of two callers; commits fail at random, applied or not.
TEST_F(WriterHalvesTest, EveryOperationIsThereOnceWhateverFails) {
  constexpr int kCallers = 2;
  constexpr int kCalls = 8;
  constexpr int kAttemptsMax = 1000;
  std::atomic<uint32_t> state{1};
  Start([&](EventStorage& beneath, Writes writes) -> Result {
    const uint32_t draw = (state = state * 1664525 + 1013904223) >> 24;
    if (draw < 25) return absl::UnavailableError("not applied");
    if (draw < 50) {
      EXPECT_THAT(beneath.Commit(writes).status().code(),
                  ::testing::AnyOf(absl::StatusCode::kOk, absl::StatusCode::kAlreadyExists));
      return absl::UnavailableError("perhaps applied");
    }
    return beneath.Commit(writes);
  });
  const auto write = [&](int caller) {
    for (int call = 0; call < kCalls; ++call) {
      v1::AppendRequest open = LargeCall("e");
      for (int i = 0; i < kItems; ++i) {
        open.mutable_items(i)->set_op_id(absl::StrCat(caller, "-", call, "-", i));
      }
      for (int attempt = 0; open.items_size() > 0; ++attempt) {
        ASSERT_LT(attempt, kAttemptsMax);
        const v1::AppendResponse response = Append(open);
        v1::AppendRequest again;
        for (int i = 0; i < open.items_size(); ++i) {
          const v1::AppendResult& result = response.results(i);
          if (result.has_appended() || result.has_duplicate()) continue;
          ASSERT_EQ(result.error().code(), "unavailable") << result.ShortDebugString();
          *again.add_items() = open.items(i);
        }
        open = again;
      }
    }
  };
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) callers.emplace_back(write, caller);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ExpectDense(), std::size_t{kLogs + kCallers * kCalls * kItems});
  EXPECT_EQ(store_->observer().histories_lost_, 0);
}

}  // namespace
}  // namespace bdcsync::event_store
