// Two replicas of the event store on one PostgreSQL database, and what they do when it fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/errors.h"
#include "libs/sql/postgres.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/postgres_event_storage.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::PostgresDatabase;

constexpr uint32_t kLogs = 2;
constexpr int kAttemptsMax = 200;
constexpr std::size_t kBatchItems = 256;

class ReplicasTest : public ::testing::Test {
 protected:
  struct Replica {
    std::unique_ptr<EventStorage> storage;
    std::unique_ptr<TestStore> store;
  };

  void SetUp() override {
    BDC_NEEDS_POSTGRES();
    ASSERT_OK_AND_ASSIGN(database_, PostgresDatabase::Create());
    first_ = MakeReplica();
    second_ = MakeReplica();
  }

  Replica MakeReplica(bool halves = false) {
    PostgresEventStorageOptions postgres;
    postgres.url = database_->url();
    EventStorageOptions options;
    options.log_count = kLogs;
    auto storage = OpenPostgresEventStorage(postgres, options, clock_, random_);
    EXPECT_OK(storage);
    Replica replica;
    replica.storage = *std::move(storage);
    replica.store =
        std::make_unique<TestStore>(*replica.storage, clock_, sink_, 1, kBatchItems, halves);
    return replica;
  }

  static absl::StatusOr<v1::AppendResult> Append(Replica& replica, const v1::AppendItem& item) {
    v1::AppendRequest request;
    *request.add_items() = item;
    auto response = replica.store->store().AppendAndWait(request);
    if (!response.ok()) return response.status();
    return response->results(0);
  }
  // Repeats the same item until its outcome is known, as every caller does.
  static v1::AppendResult AppendUntilKnown(Replica& replica, const v1::AppendItem& item) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      auto result = Append(replica, item);
      if (result.ok() && result->error().code() != "unavailable") return *result;
    }
    ADD_FAILURE() << "no outcome for " << item.op_id();
    return v1::AppendResult();
  }
  std::vector<v1::Event> WholeLog(uint32_t log_id) {
    std::vector<v1::Event> events;
    v1::ReadLogRequest request;
    request.set_log_id(log_id);
    while (true) {
      auto page = first_.store->store().ReadLog(request);
      EXPECT_OK(page);
      if (!page.ok() || page->events().empty()) return events;
      events.insert(events.end(), page->events().begin(), page->events().end());
      request.set_after_position(events.back().position());
    }
  }

  SystemClock clock_;
  SystemRandom random_;
  IgnoringSink sink_;
  std::unique_ptr<PostgresDatabase> database_;
  Replica first_;
  Replica second_;
};

TEST_F(ReplicasTest, WhatOneWroteTheOtherKnowsBeforeItRefuses) {
  ASSERT_TRUE(Append(first_, ItemFor("s", "a", "1"))->has_appended());
  v1::AppendItem item = ItemFor("s", "a", "2");
  for (int64_t revision = 1; revision < 6; ++revision) {
    item.mutable_expected()->set_revision(revision);
    Replica& replica = revision % 2 == 0 ? first_ : second_;
    const auto result = Append(replica, item);
    ASSERT_OK(result);
    ASSERT_TRUE(result->has_appended()) << revision << " " << result->ShortDebugString();
    EXPECT_EQ(result->appended().revision(), revision + 1);
  }
}

TEST_F(ReplicasTest, AnOperationIsADuplicateAtEveryReplica) {
  ASSERT_TRUE(Append(second_, ItemFor("s", "warm", ""))->has_appended());
  v1::AppendItem item = ItemFor("s", "a", "1");
  item.set_op_id("op");
  item.set_request_hash(5);
  ASSERT_TRUE(Append(first_, item)->has_appended());
  EXPECT_EQ(Append(second_, item)->duplicate().data(), "1");
  item.set_request_hash(6);
  EXPECT_EQ(Append(second_, item)->error().code(), "operation_id_reused");
}

// A store with one writer, and a call that is large enough for two commits.
class HalvesTest : public ReplicasTest {
 protected:
  void SetUp() override {
    ReplicasTest::SetUp();
    if (IsSkipped()) return;
    first_.store.reset();
    first_ = MakeReplica(true);
    for (int i = 0; spaces_[0].empty() || spaces_[1].empty(); ++i) {
      const std::string space = absl::StrCat("s", i);
      spaces_[LogOfSpace(space, kLogs)] = space;
    }
  }
  // Half of the items in each log, without op_ids.
  v1::AppendRequest LargeCall() const {
    v1::AppendRequest request;
    for (int i = 0; i < kItems; ++i) {
      *request.add_items() = ItemFor(spaces_[i % kLogs], absl::StrCat("e", i), "x");
    }
    return request;
  }
  // How many transactions wrote the events of the store.
  int64_t Transactions() {
    sql::PostgresOptions options;
    options.url = database_->url();
    options.schema = "event_store";
    sql::PostgresPool pool(options, clock_);
    const auto rows = pool.Run("SELECT count(DISTINCT xmin::text) FROM events");
    EXPECT_OK(rows);
    return rows.ok() ? rows->Int64(0, 0) : -1;
  }

  static constexpr int kItems = 200;
  std::string spaces_[kLogs];
};

TEST_F(HalvesTest, ALargeCallThatComesAloneIsTwoCommits) {
  const auto response = first_.store->store().AppendAndWait(LargeCall());
  ASSERT_OK(response);
  for (const v1::AppendResult& result : response->results()) EXPECT_TRUE(result.has_appended());
  EXPECT_EQ(Transactions(), 2);
  EXPECT_EQ(WholeLog(0).size() + WholeLog(1).size(), std::size_t{kItems});
}

TEST_F(HalvesTest, AKeyThatIsTakenInOneHalfLeavesTheOtherAppendedOnce) {
  v1::AppendItem taken = ItemFor(spaces_[1], "taken", "first");
  taken.set_op_id("op");
  ASSERT_TRUE(Append(second_, taken)->has_appended());
  // Now the replica knows the heads of both logs, and not the key.
  for (const std::string& space : spaces_) {
    ASSERT_TRUE(Append(first_, ItemFor(space, "warm", ""))->has_appended());
  }
  const std::size_t before = WholeLog(0).size() + WholeLog(1).size();
  v1::AppendRequest request = LargeCall();
  *request.add_items() = taken;
  const auto response = first_.store->store().AppendAndWait(request);
  ASSERT_OK(response);
  for (int i = 0; i < kItems; ++i) EXPECT_TRUE(response->results(i).has_appended());
  EXPECT_EQ(response->results(kItems).duplicate().data(), "first");
  EXPECT_EQ(WholeLog(0).size() + WholeLog(1).size(), before + kItems);
}

TEST_F(ReplicasTest, TwoWritersOnOneLogLeaveNoHoleAndAReaderNeverSeesOne) {
  constexpr int kThreads = 2;
  constexpr int kCalls = 40;
  constexpr int kItems = 5;
  std::atomic<int> writing{2 * kThreads};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  const auto write = [&](Replica& replica, int writer) {
    for (int call = 0; call < kCalls; ++call) {
      v1::AppendRequest request;
      for (int i = 0; i < kItems; ++i) {
        v1::AppendItem& item = *request.add_items();
        item = ItemFor("s", absl::StrCat("e", i % 3), "x");
        item.set_op_id(absl::StrCat(writer, "-", call, "-", i));
      }
      auto response = replica.store->store().AppendAndWait(request);
      for (const v1::AppendResult& result : response->results()) {
        if (result.has_appended()) continue;
        ++failed;
        ADD_FAILURE() << result.ShortDebugString();
      }
    }
    --writing;
  };
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { write(first_, i); });
    threads.emplace_back([&, i] { write(second_, kThreads + i); });
  }
  Replica reader = MakeReplica();
  const uint32_t log_id = reader.store->store().LogOf("s");
  v1::ReadLogRequest request;
  request.set_log_id(log_id);
  int64_t position = 0;
  int64_t seq = 0;
  constexpr int kEvents = 2 * kThreads * kCalls * kItems;
  while (position < kEvents && failed == 0) {
    const bool last_round = writing == 0;
    auto page = reader.store->store().ReadLog(request);
    ASSERT_OK(page);
    for (const v1::Event& event : page->events()) {
      ASSERT_EQ(event.position(), ++position);
      ASSERT_EQ(event.seq(), ++seq);
    }
    request.set_after_position(position);
    if (last_round && page->events().empty()) break;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(position, kEvents);
  std::map<std::string, int64_t> revisions;
  for (const v1::Event& event : WholeLog(log_id)) {
    EXPECT_EQ(event.revision(), ++revisions[event.stream().name()]);
  }
  RecordProperty("races_lost", first_.store->observer().races_lost_.load() +
                                   second_.store->observer().races_lost_.load());
}

TEST_F(ReplicasTest, CutConnectionsLeaveEveryOperationExactlyOnce) {
  constexpr int kOperations = 60;
  constexpr int kOperationsPerCut = 6;
  absl::Mutex mutex;
  int known = 0;  // Outcomes, of both writers.
  std::thread saboteur([&] {
    for (int cut = 1; cut * kOperationsPerCut < 2 * kOperations; ++cut) {
      const auto due = [&] { return known >= cut * kOperationsPerCut; };
      {
        absl::MutexLock lock(&mutex);
        mutex.Await(absl::Condition(&due));
      }
      EXPECT_OK(database_->CutConnections());
    }
  });
  const auto write = [&](Replica& replica, int from) {
    for (int i = from; i < from + kOperations; ++i) {
      v1::AppendItem item = ItemFor("s", absl::StrCat("e", i % 7), "x");
      item.set_op_id(absl::StrCat("op-", i));
      const v1::AppendResult result = AppendUntilKnown(replica, item);
      EXPECT_TRUE(result.has_appended() || result.has_duplicate()) << result.ShortDebugString();
      absl::MutexLock lock(&mutex);
      ++known;
    }
  };
  std::thread other([&] { write(second_, kOperations); });
  write(first_, 0);
  other.join();
  saboteur.join();
  // The first read may still meet a cut connection.
  while (!first_.storage->LoadLogs({}).ok()) {
  }
  int64_t position = 0;
  for (const v1::Event& event : WholeLog(first_.store->store().LogOf("s"))) {
    EXPECT_EQ(event.position(), ++position);
  }
  EXPECT_EQ(position, 2 * kOperations);
}

// Batches of several callers, each sent while PostgreSQL works on the one before.
TEST_F(ReplicasTest, CutConnectionsUnderBatchesThatFollowEachOtherLeaveEveryOperationOnce) {
  constexpr int kCallers = 4;  // Of each replica.
  constexpr int kCalls = 40;
  constexpr int kItems = 8;
  constexpr int kCuts = 10;
  std::atomic<int> calls{0};
  const auto write = [&](Replica& replica, int caller) {
    for (int call = 0; call < kCalls; ++call, ++calls) {
      v1::AppendRequest request;
      for (int i = 0; i < kItems; ++i) {
        v1::AppendItem& item = *request.add_items();
        item = ItemFor(absl::StrCat("s", i % 3), absl::StrCat("e", i % 5), "x");
        item.set_op_id(absl::StrCat(caller, "-", call, "-", i));
      }
      for (int attempt = 0; request.items_size() > 0; ++attempt) {
        ASSERT_LT(attempt, kAttemptsMax);
        ASSERT_OK_AND_ASSIGN(const v1::AppendResponse response,
                             replica.store->store().AppendAndWait(request));
        v1::AppendRequest unknown;
        for (int i = 0; i < request.items_size(); ++i) {
          const v1::AppendResult& result = response.results(i);
          if (result.error().code() == "unavailable") {
            *unknown.add_items() = request.items(i);
          } else {
            ASSERT_TRUE(result.has_appended() || result.has_duplicate());
          }
        }
        request = std::move(unknown);
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] { write(first_, i); });
    threads.emplace_back([&, i] { write(second_, kCallers + i); });
  }
  for (int cut = 1; cut <= kCuts; ++cut) {
    while (calls < cut * 2 * kCallers * kCalls / (kCuts + 1)) std::this_thread::yield();
    EXPECT_OK(database_->CutConnections());
  }
  for (std::thread& thread : threads) thread.join();
  while (!first_.storage->LoadLogs({}).ok()) {
  }
  std::size_t events = 0;
  std::map<std::string, int64_t> revisions, seqs;
  for (uint32_t log_id = 0; log_id < kLogs; ++log_id) {
    int64_t position = 0;
    for (const v1::Event& event : WholeLog(log_id)) {
      const std::string& space = event.stream().space();
      EXPECT_EQ(event.position(), ++position);
      EXPECT_EQ(event.seq(), ++seqs[space]);
      EXPECT_EQ(event.revision(), ++revisions[space + "/" + event.stream().name()]);
      ++events;
    }
  }
  EXPECT_EQ(events, std::size_t{2} * kCallers * kCalls * kItems);
  EXPECT_GT(first_.store->observer().sent_ahead_ + second_.store->observer().sent_ahead_, 0);
}

TEST_F(ReplicasTest, ADatabaseThatAllowsReadingOnlyIsToldAndReadAndWrittenToWhenItAllowsThat) {
  const std::string database = absl::StrCat("ALTER DATABASE \"", database_->name(), "\" ");
  ASSERT_TRUE(Append(first_, ItemFor("s", "a", "1"))->has_appended());
  EXPECT_OK(first_.storage->CheckWritable());
  ASSERT_OK(
      database_->RunOnServer(absl::StrCat(database, "SET default_transaction_read_only = on")));
  ASSERT_OK(database_->CutConnections());
  while (!first_.storage->LoadLogs({}).ok()) std::this_thread::yield();
  EXPECT_THAT(Append(first_, ItemFor("s", "a", "2"))->error().code(), "unavailable");
  EXPECT_THAT(first_.storage->CheckWritable(), testing::StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(first_.storage->LoadLogs({}));
  ASSERT_OK(database_->RunOnServer(absl::StrCat(database, "RESET default_transaction_read_only")));
  while (!first_.storage->CheckWritable().ok()) std::this_thread::yield();
  EXPECT_TRUE(AppendUntilKnown(first_, ItemFor("s", "a", "3")).has_appended());
}

TEST_F(ReplicasTest, LostHistoryGetsANewEpochAndNobodyIsAnsweredFromTheOldOne) {
  v1::AppendItem item = ItemFor("s", "a", "1");
  const auto before = Append(first_, item);
  ASSERT_TRUE(before->has_appended());
  item.set_op_id("lost");
  ASSERT_TRUE(Append(first_, item)->has_appended());
  // The server comes back as it was before the second append.
  sql::PostgresOptions options;
  options.url = database_->url();
  options.schema = "event_store";
  sql::PostgresPool pool(options, clock_);
  ASSERT_OK(
      pool.Run("BEGIN; DELETE FROM events WHERE position > 1; DELETE FROM operation_keys; "
               "UPDATE log_heads SET next_position = 2 WHERE next_position = 3; "
               "UPDATE streams SET head_revision = 1, last_seq = 1, last_position = 1; COMMIT"));
  const auto after = Append(first_, item);
  ASSERT_TRUE(after->has_appended()) << after->ShortDebugString();
  EXPECT_EQ(after->appended().position(), 2);
  EXPECT_EQ(after->appended().revision(), 2);
  EXPECT_NE(after->appended().epoch(), before->appended().epoch());
  EXPECT_EQ(first_.store->observer().histories_lost_, 1);
}

// By then the log is as long again as the other one knew it.
TEST_F(ReplicasTest, WhatOneReplicaFoundLostTheOtherForgetsToo) {
  ASSERT_TRUE(Append(first_, ItemFor("s", "a", "1"))->has_appended());
  ASSERT_TRUE(Append(first_, ItemFor("s", "a", "2"))->has_appended());
  ASSERT_TRUE(Append(second_, ItemFor("s", "b", "3"))->has_appended());
  sql::PostgresOptions options;
  options.url = database_->url();
  options.schema = "event_store";
  sql::PostgresPool pool(options, clock_);
  ASSERT_OK(pool.Run(
      "BEGIN; DELETE FROM events WHERE position > 1; DELETE FROM streams WHERE name = 'b'; "
      "UPDATE log_heads SET next_position = 2 WHERE next_position = 4; "
      "UPDATE streams SET head_revision = 1, last_seq = 1, last_position = 1; COMMIT"));
  ASSERT_EQ(Append(second_, ItemFor("s", "c", "x"))->appended().position(), 2);
  EXPECT_EQ(second_.store->observer().histories_lost_, 1);
  v1::AppendItem item = ItemFor("s", "a", "3");
  item.mutable_expected()->set_revision(5);
  const auto result = Append(first_, item);
  EXPECT_EQ(result->error().code(), "precondition_failed") << result->ShortDebugString();
  EXPECT_EQ(result->head().stream().name(), "a");
  EXPECT_EQ(result->head().revision(), 1);
}

}  // namespace
}  // namespace bdcsync::event_store
