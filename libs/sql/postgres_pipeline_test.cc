#include "libs/sql/postgres_pipeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::sql {
namespace {

using bdcsync::testing::PostgresDatabase;
using bdcsync::testing::StatusIs;

constexpr PostgresStatement kEcho{"echo", "SELECT $1::text"};
constexpr PostgresStatement kLength{"length", "SELECT length($1::text)"};
constexpr PostgresStatement kPlace{"place", "SELECT pg_backend_pid(), $1::text"};
constexpr PostgresStatement kWait{"wait", "SELECT pg_sleep(0.05 * length($1::text))"};
constexpr PostgresStatement kKeep{"keep", "INSERT INTO things(name) VALUES ($1::text)"};
constexpr PostgresStatement kCount{"count", "SELECT count(*), max($1::text) FROM things"};
constexpr PostgresStatement kWrong{"wrong", "SELECT $1::text FROM nothing_of_that_name"};

class PostgresPipelineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BDC_NEEDS_POSTGRES();
    ASSERT_OK_AND_ASSIGN(database_, PostgresDatabase::Create());
    pool_ = std::make_unique<PostgresPool>(Options(), clock_);
    ASSERT_OK(
        pool_->Run("CREATE SCHEMA things; CREATE TABLE things.things (name text PRIMARY KEY)"));
    pipeline_ = std::make_unique<PostgresPipeline>(Options(), clock_);
  }
  PostgresOptions Options() const { return {.url = database_->url(), .schema = "things"}; }

  absl::StatusOr<int64_t> Send(const PostgresStatement& statement, absl::string_view text) {
    PostgresParams params;
    params.AddBytes(text);
    return pipeline_->Send(statement, params);
  }
  absl::StatusOr<PostgresResult> Await(const absl::StatusOr<int64_t>& number) {
    if (!number.ok()) return number.status();
    return pipeline_->Await(*number);
  }
  absl::StatusOr<PostgresResult> Run(const PostgresStatement& statement, absl::string_view text) {
    return Await(Send(statement, text));
  }
  int64_t Count() {
    const auto rows = Run(kCount, "");
    EXPECT_OK(rows);
    return rows.ok() ? rows->Int64(0, 0) : -1;
  }

  ManualClock clock_{absl::UnixEpoch()};
  SystemClock real_clock_;
  std::unique_ptr<PostgresDatabase> database_;
  std::unique_ptr<PostgresPool> pool_;
  std::unique_ptr<PostgresPipeline> pipeline_;
};

TEST_F(PostgresPipelineTest, AnswersAreThoseOfTheStatementsInWhateverOrderTheyAreAwaited) {
  const auto first = Send(kEcho, "a");
  const auto second = Send(kKeep, "b");
  const auto third = Send(kCount, "c");
  ASSERT_OK_AND_ASSIGN(const PostgresResult counted, Await(third));
  EXPECT_EQ(counted.Int64(0, 0), 1) << "the one before it was committed";
  EXPECT_EQ(counted.Text(0, 1), "c");
  ASSERT_OK_AND_ASSIGN(const PostgresResult echoed, Await(first));
  EXPECT_EQ(echoed.Text(0, 0), "a");
  ASSERT_OK_AND_ASSIGN(const PostgresResult kept, Await(second));
  EXPECT_EQ(kept.affected(), 1);
  EXPECT_EQ(kept.size(), 0);
}

TEST_F(PostgresPipelineTest, AStatementIsSentWhileAnotherWaitsForItsAnswer) {
  ASSERT_OK_AND_ASSIGN(const int64_t slow, Send(kWait, "xxxx"));
  std::thread waits([&] { EXPECT_OK(pipeline_->Await(slow)); });
  ASSERT_OK_AND_ASSIGN(const PostgresResult rows, Run(kEcho, "behind"));
  EXPECT_EQ(rows.Text(0, 0), "behind");
  waits.join();
}

TEST_F(PostgresPipelineTest, WhatFailsFailsAlone) {
  const auto first = Send(kKeep, "a");
  const auto again = Send(kKeep, "a");
  const auto other = Send(kKeep, "b");
  EXPECT_OK(Await(first));
  EXPECT_THAT(Await(again), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_OK(Await(other));
  EXPECT_THAT(Run(kWrong, "x"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(Run(kWrong, "x"), StatusIs(absl::StatusCode::kInternal)) << "it is not prepared";
  EXPECT_EQ(Count(), 2);
}

TEST_F(PostgresPipelineTest, AStatementThatFailedTheFirstTimeIsPreparedAllTheSame) {
  ASSERT_OK(pool_->Run("INSERT INTO things.things(name) VALUES ('a')"));
  EXPECT_THAT(Run(kKeep, "a"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_OK(Run(kKeep, "b"));
}

// The server has answered all when it finds out, at the end of the transaction.
TEST_F(PostgresPipelineTest, WhatFailsWhenItIsCommittedFailsAlone) {
  ASSERT_OK(pool_->Run(
      "CREATE TABLE things.late (name text REFERENCES things.things DEFERRABLE INITIALLY "
      "DEFERRED)"));
  constexpr PostgresStatement kLate{"late", "INSERT INTO late(name) VALUES ($1::text)"};
  const auto first = Send(kKeep, "a");
  const auto fails = Send(kLate, "nothing of that name");
  const auto last = Send(kKeep, "b");
  const auto fits = Send(kLate, "a");
  EXPECT_OK(Await(first));
  EXPECT_THAT(Await(fails), StatusIs(absl::StatusCode::kInternal));
  EXPECT_OK(Await(last));
  EXPECT_OK(Await(fits));
  EXPECT_EQ(Count(), 2);
}

// It cannot know yet that the one that is to prepare it fails.
TEST_F(PostgresPipelineTest, WhatRestsOnAStatementThatWasNotPreparedWasNotApplied) {
  ASSERT_OK(pool_->Transaction([&](PostgresSession& session) -> absl::Status {
    RETURN_IF_ERROR(session.Run("LOCK TABLE things").status());
    pipeline_ = std::make_unique<PostgresPipeline>(
        PostgresOptions{.url = database_->url(),
                        .schema = "things",
                        .statement_timeout = absl::Milliseconds(50)},
        clock_);
    const auto first = Send(kKeep, "a");
    const auto behind = Send(kKeep, "b");
    EXPECT_THAT(Await(first), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(Await(behind), StatusIs(absl::StatusCode::kAborted));
    return absl::OkStatus();
  }));
  EXPECT_OK(Run(kKeep, "a"));
  EXPECT_EQ(Count(), 1);
}

// More than the sockets hold, while the server is busy and reads nothing.
TEST_F(PostgresPipelineTest, ManyLargeStatementsFindTheirWay) {
  constexpr int kStatements = 8;
  const std::string large(4 << 20, 'x');
  ASSERT_OK_AND_ASSIGN(const int64_t slow, Send(kWait, "xx"));
  std::thread waits([&] { EXPECT_OK(pipeline_->Await(slow)); });
  std::vector<absl::StatusOr<int64_t>> sent;
  for (int i = 0; i < kStatements; ++i) sent.push_back(Send(kEcho, absl::StrCat(i, large)));
  for (int i = 0; i < kStatements; ++i) {
    ASSERT_OK_AND_ASSIGN(const PostgresResult rows, Await(sent[static_cast<std::size_t>(i)]));
    EXPECT_EQ(rows.Text(0, 0).size(), large.size() + 1);
    EXPECT_EQ(rows.Text(0, 0)[0], '0' + i);
  }
  waits.join();
}

// Nothing comes that could wake who waits before all of it is written.
TEST_F(PostgresPipelineTest, AStatementLargerThanTheSocketsHoldFindsItsWay) {
  const std::string large(64 << 20, 'x');
  ASSERT_OK_AND_ASSIGN(const PostgresResult rows, Run(kLength, large));
  EXPECT_EQ(rows.Int64(0, 0), static_cast<int64_t>(large.size()));
}

TEST_F(PostgresPipelineTest, ManyThreadsGetEachTheirOwnAnswer) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < kEach; ++i) {
        const std::string text = absl::StrCat(thread, "-", i);
        ASSERT_OK_AND_ASSIGN(const PostgresResult rows, Run(kEcho, text));
        ASSERT_EQ(rows.Text(0, 0), text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PostgresPipelineTest, AConnectionThatIsCutAnswersNothingAndTheNextStatementMakesAnother) {
  ASSERT_OK(Run(kKeep, "before"));
  ASSERT_OK_AND_ASSIGN(const int64_t cut, Send(kWait, std::string(100, 'x')));
  ASSERT_OK_AND_ASSIGN(const int64_t behind, Send(kKeep, "behind"));
  ASSERT_OK(database_->CutConnections());
  const auto late = Send(kKeep, "late");
  EXPECT_THAT(pipeline_->Await(cut), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(pipeline_->Await(behind), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Await(late), StatusIs(absl::StatusCode::kUnavailable)) << "on the same connection";
  EXPECT_EQ(Count(), 1);
}

TEST_F(PostgresPipelineTest, AConnectionThatEndedWhileNothingWasOnTheWayIsReplacedAtOnce) {
  ASSERT_OK(Run(kEcho, "a"));
  ASSERT_OK(database_->CutConnections());
  EXPECT_OK(Run(kEcho, "b"));
}

// What was half handed to the library cannot be taken back.
TEST_F(PostgresPipelineTest, WhoeverWaitsIsToldAtOnceWhenTheLibraryRefusesAStatement) {
  constexpr int kTooMany = 70000;  // Parameters.
  const auto brief = Send(kWait, "xx");
  ASSERT_OK_AND_ASSIGN(const int64_t slow, Send(kWait, std::string(400, 'x')));
  const absl::Duration begun = real_clock_.Monotonic();
  std::thread waits(
      [&] { EXPECT_THAT(pipeline_->Await(slow), StatusIs(absl::StatusCode::kUnavailable)); });
  ASSERT_OK(Await(brief));
  PostgresParams many;
  for (int i = 0; i < kTooMany; ++i) many.AddBytes("");
  EXPECT_THAT(pipeline_->Send(kEcho, many), StatusIs(absl::StatusCode::kUnavailable));
  waits.join();
  EXPECT_LT(real_clock_.Monotonic() - begun, absl::Seconds(20)) << "as long as it would run";
  ASSERT_OK_AND_ASSIGN(const PostgresResult rows, Run(kEcho, "next"));
  EXPECT_EQ(rows.Text(0, 0), "next");
}

TEST_F(PostgresPipelineTest, AfterAFailedConnectItWaitsBeforeTheNext) {
  ASSERT_OK(database_->AllowConnections(false));
  EXPECT_THAT(Run(kEcho, "a"), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(database_->AllowConnections(true));
  EXPECT_THAT(Run(kEcho, "a"), StatusIs(absl::StatusCode::kUnavailable)) << "too early";
  clock_.Advance(Options().backoff_min);
  EXPECT_OK(Run(kEcho, "a"));
}

TEST_F(PostgresPipelineTest, AServerThatMayOnlyReadIsUnavailableAndAskedAnewOnAnotherConnection) {
  const std::string database = absl::StrCat("ALTER DATABASE \"", database_->name(), "\" ");
  ASSERT_OK(
      database_->RunOnServer(absl::StrCat(database, "SET default_transaction_read_only = on")));
  EXPECT_THAT(Run(kKeep, "a"), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(database_->RunOnServer(absl::StrCat(database, "RESET default_transaction_read_only")));
  EXPECT_OK(Run(kKeep, "a"));
  ASSERT_OK_AND_ASSIGN(const PostgresResult place, Run(kPlace, ""));
  ASSERT_OK_AND_ASSIGN(const PostgresResult same, Run(kPlace, ""));
  EXPECT_EQ(place.Int64(0, 0), same.Int64(0, 0)) << "once";
}

}  // namespace
}  // namespace bdcsync::sql
