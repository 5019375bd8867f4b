// Batches that are planned while the one before them is being committed, and where the storage can
// are sent behind it: what they rest on may still fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/hooked_storage.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/storage/routed_event_storage.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

using Result = HookedStorage::Result;
using Writes = absl::Span<const LogWrite>;

v1::AppendItem ItemAt(const std::string& stream, int64_t revision) {
  v1::AppendItem item = ItemFor("s", stream, "x");
  item.mutable_expected()->set_revision(revision);
  return item;
}

// With and without sending ahead.
class LogWriterTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { UseLogs(1); }
  void UseLogs(uint32_t count) {
    EventStorageOptions options;
    options.log_count = count;
    ASSERT_OK_AND_ASSIGN(beneath_, OpenSqliteEventStorage(sql::kSqliteMemory, options, random_));
  }
  // A space of log `log_id` of two.
  static std::string SpaceIn(uint32_t log_id) {
    int i = 0;
    while (LogOfSpace(absl::StrCat("s", i), 2) != log_id) ++i;
    return absl::StrCat("s", i);
  }
  void TearDown() override { EXPECT_EQ(store_->observer().histories_lost_, 0); }
  void Start(HookedStorage::Hook hook) {
    storage_ = std::make_unique<HookedStorage>(*beneath_, std::move(hook), GetParam());
    store_ = std::make_unique<TestStore>(*storage_, clock_, sink_, 1, 64);
  }
  v1::AppendResult Append(const v1::AppendItem& item) {
    v1::AppendRequest request;
    *request.add_items() = item;
    const auto response = store_->store().AppendAndWait(request);
    EXPECT_OK(response);
    return response.ok() ? response->results(0) : v1::AppendResult();
  }
  // Appends `first`; while its commit runs, `second`. Once that waits for its turn, the commit of
  // `first` goes on with `outcome`.
  std::vector<v1::AppendResult> AppendBehind(const v1::AppendItem& first,
                                             const v1::AppendItem& second,
                                             HookedStorage::Hook outcome) {
    Start([&, commits = std::make_shared<std::atomic<int>>(0)](EventStorage& beneath,
                                                               Writes writes) -> Result {
      const int commit = (*commits)++;
      if (commit == 0) return beneath.Commit(writes);  // The warm-up, so that heads are known.
      positions_.push_back(writes[0].position);
      if (commit > 1) return beneath.Commit(writes);
      std::thread later([&, second] { results_.push_back(Append(second)); });
      later_.swap(later);
      AwaitSecond(3);
      return outcome(beneath, writes);
    });
    EXPECT_TRUE(Append(ItemFor("s", "warm", "")).has_appended());
    const v1::AppendResult result = Append(first);
    later_.join();
    results_.insert(results_.begin(), result);
    return results_;
  }
  // What rests on the first waits for its turn or is sent, too: with the warm-up and the first,
  // `sent` are.
  void AwaitSecond(int sent) {
    const absl::Duration deadline = clock_.Monotonic() + absl::Seconds(20);
    const auto is_ready = [&] {
      return GetParam() ? storage_->sent() == sent : store_->committer().planned() == 2;
    };
    while (!is_ready() && clock_.Monotonic() < deadline) std::this_thread::yield();
  }
  // The first commit is whole, but what it would answer of another log from memory is not true any
  // more: plans fall, and the second one, an append at revision 1, may be there already. It goes on
  // with `outcome`; returns what it is answered.
  v1::AppendResult AppendBehindAPlanThatFalls(HookedStorage::Hook outcome) {
    UseLogs(2);
    v1::AppendItem known = ItemFor(SpaceIn(1), "known", "first");
    known.set_op_id("op");
    v1::AppendResult second;
    Start([&, commits = std::make_shared<std::atomic<int>>(0)](EventStorage& beneath,
                                                               Writes writes) -> Result {
      const int commit = ++*commits;
      if (commit == 4) return outcome(beneath, writes);
      if (commit != 3) return beneath.Commit(writes);
      later_ = std::thread([&] {
        v1::AppendItem item = ItemFor(SpaceIn(0), "a", "second");
        item.mutable_expected()->set_revision(1);
        second = Append(item);
      });
      AwaitSecond(4);
      return beneath.Commit(writes);
    });
    EXPECT_TRUE(Append(known).has_appended());
    EXPECT_TRUE(Append(ItemFor(SpaceIn(0), "warm", "")).has_appended());
    TestStore other(*beneath_, clock_, sink_, 1, 64);
    v1::AppendRequest request;
    *request.add_items() = ItemFor(SpaceIn(1), "b", "by another");
    EXPECT_TRUE(other.store().AppendAndWait(request)->results(0).has_appended());
    request.clear_items();
    *request.add_items() = ItemFor(SpaceIn(0), "a", "first");
    *request.add_items() = known;
    const auto first = store_->store().AppendAndWait(request);
    later_.join();
    EXPECT_OK(first);
    EXPECT_EQ(first->results(0).appended().revision(), 1);
    EXPECT_EQ(first->results(1).duplicate().data(), "first");
    return second;
  }
  std::vector<v1::Event> WholeLog() {
    std::vector<v1::Event> events;
    v1::ReadLogRequest request;
    while (true) {
      const auto page = store_->store().ReadLog(request);
      EXPECT_OK(page);
      if (!page.ok() || page->events().empty()) return events;
      events.insert(events.end(), page->events().begin(), page->events().end());
      request.set_after_position(events.back().position());
    }
  }
  // Positions, seqs and the revisions of each stream are dense.
  void ExpectDense(const std::vector<v1::Event>& events) {
    int64_t place = 0;
    std::map<std::string, int64_t> revisions;
    for (const v1::Event& event : events) {
      EXPECT_EQ(event.position(), ++place);
      EXPECT_EQ(event.seq(), place);
      EXPECT_EQ(event.revision(), ++revisions[event.stream().name()]) << event.stream().name();
    }
  }

  SystemClock clock_;
  SystemRandom random_;
  IgnoringSink sink_;
  std::unique_ptr<EventStorage> beneath_;
  std::unique_ptr<HookedStorage> storage_;
  std::unique_ptr<TestStore> store_;
  std::vector<int64_t> positions_;  // Of the commits after the warm-up, one at a time.
  std::vector<v1::AppendResult> results_;
  std::thread later_;
};

TEST_P(LogWriterTest, ABatchRestsOnTheOneThatIsBeingCommitted) {
  const auto results =
      AppendBehind(ItemAt("a", 0), ItemAt("a", 1),
                   [](EventStorage& beneath, Writes writes) { return beneath.Commit(writes); });
  EXPECT_EQ(results[0].appended().revision(), 1);
  EXPECT_EQ(results[1].appended().revision(), 2) << results[1].ShortDebugString();
  EXPECT_THAT(positions_, ::testing::ElementsAre(2, 3)) << "planned once each";
  ExpectDense(WholeLog());
}

TEST_P(LogWriterTest, WhatRestedOnACommitThatNobodyAnsweredIsDecidedAgain) {
  const auto results = AppendBehind(
      ItemAt("a", 0), ItemAt("a", 1),
      [](EventStorage&, Writes) -> Result { return absl::UnavailableError("cut off"); });
  EXPECT_EQ(results[0].error().code(), "unavailable");
  EXPECT_EQ(results[1].error().code(), "precondition_failed") << results[1].ShortDebugString();
  EXPECT_EQ(WholeLog().size(), 1);
}

TEST_P(LogWriterTest, WhatRestedOnACommitThatWasAppliedWithoutAnAnswerGoesOn) {
  const auto results =
      AppendBehind(ItemAt("a", 0), ItemAt("a", 1), [](EventStorage& beneath, Writes writes) {
        EXPECT_OK(beneath.Commit(writes));
        return Result(absl::UnavailableError("cut off"));
      });
  EXPECT_EQ(results[0].error().code(), "unavailable");
  EXPECT_EQ(results[1].appended().revision(), 2) << results[1].ShortDebugString();
  ExpectDense(WholeLog());
}

TEST_P(LogWriterTest, WhatRestedOnALostRaceIsPlannedBehindTheWinner) {
  const auto results =
      AppendBehind(ItemAt("a", 0), ItemAt("a", 1), [this](EventStorage& beneath, Writes writes) {
        TestStore other(beneath, clock_, sink_, 1, 64);
        v1::AppendRequest request;
        *request.add_items() = ItemFor("s", "b", "by another");
        EXPECT_TRUE(other.store().AppendAndWait(request)->results(0).has_appended());
        return beneath.Commit(writes);
      });
  EXPECT_EQ(results[0].appended().revision(), 1) << results[0].ShortDebugString();
  EXPECT_EQ(results[1].appended().revision(), 2) << results[1].ShortDebugString();
  const std::vector<v1::Event> events = WholeLog();
  ASSERT_EQ(events.size(), 4);
  EXPECT_EQ(events[1].stream().name(), "b");
  ExpectDense(events);
}

TEST_P(LogWriterTest, WhatRestedOnAWrongAssumptionIsDecidedAgain) {
  v1::AppendItem first = ItemAt("a", 0);
  first.set_op_id("op");
  v1::AppendItem earlier = ItemFor("s", "z", "before this writer started");
  earlier.set_op_id("op");
  {
    TestStore other(*beneath_, clock_, sink_, 1, 64);
    v1::AppendRequest request;
    *request.add_items() = earlier;
    ASSERT_TRUE(other.store().AppendAndWait(request)->results(0).has_appended());
  }
  const auto results =
      AppendBehind(first, ItemAt("a", 1),
                   [](EventStorage& beneath, Writes writes) { return beneath.Commit(writes); });
  EXPECT_TRUE(results[0].has_duplicate()) << results[0].ShortDebugString();
  EXPECT_EQ(results[1].error().code(), "precondition_failed") << results[1].ShortDebugString();
  ExpectDense(WholeLog());
}

// Commits fail at random, applied or not, under two writers of one log.
TEST_P(LogWriterTest, EveryOperationIsThereOnceWhateverFails) {
  constexpr int kThreads = 6;
  constexpr int kOperations = 150;
  constexpr int kAttemptsMax = 1000;
  const auto faulty = [](uint32_t seed) {
    auto state = std::make_shared<std::atomic<uint32_t>>(seed);
    return [state](EventStorage& beneath, Writes writes) -> Result {
      const uint32_t draw = (*state = *state * 1664525 + 1013904223) >> 24;
      if (draw < 12) return absl::UnavailableError("not applied");
      if (draw < 24) {
        EXPECT_THAT(beneath.Commit(writes).status().code(),
                    ::testing::AnyOf(absl::StatusCode::kOk, absl::StatusCode::kAlreadyExists));
        return absl::UnavailableError("perhaps applied");
      }
      return beneath.Commit(writes);
    };
  };
  Start(faulty(1));
  HookedStorage other_storage(*beneath_, faulty(2), GetParam());
  TestStore other(other_storage, clock_, sink_, 1, 64);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      TestStore& store = thread % 2 == 0 ? *store_ : other;
      for (int i = 0; i < kOperations; ++i) {
        v1::AppendRequest request;
        v1::AppendItem& item = *request.add_items();
        item = ItemFor("s", absl::StrCat("e", i % 5), "x");
        item.set_op_id(absl::StrCat(thread, "-", i));
        for (int attempt = 0;; ++attempt) {
          ASSERT_LT(attempt, kAttemptsMax);
          const auto response = store.store().AppendAndWait(request);
          ASSERT_OK(response);
          if (response->results(0).error().code() == "unavailable") continue;
          EXPECT_TRUE(response->results(0).has_appended() || response->results(0).has_duplicate())
              << response->results(0).ShortDebugString();
          break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<v1::Event> events = WholeLog();
  EXPECT_EQ(events.size(), kThreads * kOperations);
  ExpectDense(events);
}

TEST_P(LogWriterTest, WhatWasAppliedThoughItsPlanFellIsAnsweredOnce) {
  const v1::AppendResult second = AppendBehindAPlanThatFalls(
      [](EventStorage& beneath, Writes writes) { return beneath.Commit(writes); });
  EXPECT_EQ(second.appended().revision(), 2) << second.ShortDebugString();
  EXPECT_EQ(WholeLog().size(), 3) << "warm, and two of a";
  EXPECT_EQ(Append(ItemFor(SpaceIn(0), "a", "third")).appended().revision(), 3);
  EXPECT_EQ(store_->observer().sent_ahead_, GetParam() ? 1 : 0);
  EXPECT_EQ(store_->observer().races_lost_, 1) << "what was written meanwhile has been read up";
}

// It has no op_id, so nobody may try it again but its caller.
TEST_P(LogWriterTest, WhatWasAppliedWithoutAnAnswerThoughItsPlanFellIsNotAppliedAgain) {
  const v1::AppendResult second =
      AppendBehindAPlanThatFalls([](EventStorage& beneath, Writes writes) {
        EXPECT_OK(beneath.Commit(writes));
        return Result(absl::UnavailableError("cut off"));
      });
  EXPECT_EQ(second.error().code(), "unavailable") << second.ShortDebugString();
  EXPECT_EQ(WholeLog().size(), 3) << "warm, and two of a";
  EXPECT_EQ(Append(ItemFor(SpaceIn(0), "a", "third")).appended().revision(), 3);
}

// Of the log that the second one writes to it is the commit that tells, of the other nothing.
TEST_P(LogWriterTest, WhatWasToBeRefusedByAPlanThatFellIsDecidedAgain) {
  UseLogs(2);
  std::thread later;
  v1::AppendResponse second;
  int commits = 0;
  Start([&](EventStorage& beneath, Writes writes) -> Result {
    if (++commits != 3) return beneath.Commit(writes);
    later = std::thread([&] {
      v1::AppendRequest request;
      *request.add_items() = ItemFor(SpaceIn(1), "a", "instead");
      request.mutable_items(0)->mutable_expected()->set_revision(0);
      *request.add_items() = ItemFor(SpaceIn(0), "warm", "beside");
      const auto response = store_->store().AppendAndWait(request);
      EXPECT_OK(response);
      if (response.ok()) second = *response;
    });
    AwaitSecond(4);
    return absl::UnavailableError("not applied");
  });
  for (const uint32_t log_id : {0, 1}) {
    ASSERT_TRUE(Append(ItemFor(SpaceIn(log_id), "warm", "")).has_appended());
  }
  EXPECT_EQ(Append(ItemFor(SpaceIn(1), "a", "first")).error().code(), "unavailable");
  later.join();
  ASSERT_EQ(second.results_size(), 2);
  EXPECT_EQ(second.results(0).appended().revision(), 1) << second.ShortDebugString();
  EXPECT_EQ(second.results(1).appended().revision(), 2) << second.ShortDebugString();
}

INSTANTIATE_TEST_SUITE_P(Lines, LogWriterTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "SendingAhead" : "OneByOne"; });

// Both logs were one writer's, and so of one batch.
TEST(LogWritersTest, AServerThatIsAwayKeepsNobodyFromAnother) {
  constexpr uint32_t kLogs = 8;
  SystemClock clock;
  SystemRandom random;
  IgnoringSink sink;
  EventStorageOptions options;
  options.log_count = kLogs;
  std::vector<std::unique_ptr<EventStorage>> beneath;
  std::vector<StorageShard> shards;
  for (uint32_t server = 0; server < 2; ++server) {
    ASSERT_OK_AND_ASSIGN(beneath.emplace_back(),
                         OpenSqliteEventStorage(sql::kSqliteMemory, options, random));
    const auto hook = [server](EventStorage& storage, Writes writes) -> Result {
      return server == 1 ? absl::UnavailableError("away") : storage.Commit(writes);
    };
    const LogRange logs{server * kLogs / 2, (server + 1) * kLogs / 2};
    shards.push_back({logs, std::make_unique<HookedStorage>(*beneath.back(), hook)});
  }
  const auto storage = MakeRoutedEventStorage(kLogs, std::move(shards));
  for (const int writers : {2, 3, 5}) {
    TestStore store(*storage, clock, sink, writers, 64);
    v1::AppendRequest request;
    for (int i = 0; i < 64; ++i) *request.add_items() = ItemFor(absl::StrCat("s", i), "a", "x");
    ASSERT_OK_AND_ASSIGN(const v1::AppendResponse response, store.store().AppendAndWait(request));
    for (int i = 0; i < 64; ++i) {
      const bool away = store.store().LogOf(absl::StrCat("s", i)) >= kLogs / 2;
      EXPECT_EQ(response.results(i).has_appended(), !away) << writers << " writers, space " << i;
    }
  }
}

}  // namespace
}  // namespace bdcsync::event_store
