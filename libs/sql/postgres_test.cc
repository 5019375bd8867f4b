#include "libs/sql/postgres.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "libs/sql/migrations.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::sql {
namespace {

using bdcsync::testing::PostgresDatabase;
using bdcsync::testing::StatusIs;

constexpr Migration kMigrations[] = {
    {1, "0001_things.sql", "CREATE TABLE things (id int8 PRIMARY KEY, name text, body bytea)"},
    {2, "0002_more.sql", "ALTER TABLE things ADD COLUMN size int8 NOT NULL DEFAULT 7"},
};
constexpr PostgresStatement kInsert{
    "insert",
    "INSERT INTO things(id, name, body) SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[])"};
constexpr PostgresStatement kSelect{"select",
                                    "SELECT id, name, body FROM things WHERE id >= $1::int8"};

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BDC_NEEDS_POSTGRES();
    ASSERT_OK_AND_ASSIGN(database_, PostgresDatabase::Create());
    pool_ = MakePool(4);
  }
  std::unique_ptr<PostgresPool> MakePool(std::size_t connections_max) {
    PostgresOptions options;
    options.url = database_->url();
    options.schema = "things";
    options.connections_max = connections_max;
    options.acquire_timeout = absl::Milliseconds(20);
    return std::make_unique<PostgresPool>(options, clock_);
  }
  absl::Status Insert(int64_t id, absl::string_view name, absl::string_view body) {
    PostgresArray ids(PostgresArray::kInt64), names(PostgresArray::kText);
    PostgresArray bodies(PostgresArray::kBytes);
    ids.AddInt64(id);
    names.AddBytes(name);
    bodies.AddBytes(body);
    PostgresParams params;
    params.Add(std::move(ids)).Add(std::move(names)).Add(std::move(bodies));
    return pool_->Execute(kInsert, params).status();
  }
  ManualClock clock_{absl::UnixEpoch()};
  std::unique_ptr<PostgresDatabase> database_;
  std::unique_ptr<PostgresPool> pool_;
};

TEST_F(PostgresTest, ArraysTravelAsTheyAre) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  const std::string body("\0\xff\\x\"{}", 7);
  ASSERT_OK(Insert(-5, "ä{\"}", body));
  PostgresParams params;
  params.AddInt64(-5);
  ASSERT_OK_AND_ASSIGN(const PostgresResult rows, pool_->Execute(kSelect, params));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows.Int64(0, 0), -5);
  EXPECT_EQ(rows.Text(0, 1), "ä{\"}");
  EXPECT_EQ(rows.Bytes(0, 2), body);
}

TEST_F(PostgresTest, ManyReplicasThatStartAtOnceMigrateOnce) {
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([this] {
      const auto pool = MakePool(1);
      EXPECT_OK(ApplyMigrations(*pool, kMigrations));
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_OK(Insert(1, "a", "b"));
}

TEST_F(PostgresTest, ANewerSchemaIsRefused) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  EXPECT_THAT(ApplyMigrations(*pool_, absl::MakeSpan(kMigrations).subspan(0, 1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(PostgresTest, AUniqueViolationIsAlreadyExists) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  ASSERT_OK(Insert(1, "a", ""));
  EXPECT_THAT(Insert(1, "b", ""), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_OK(Insert(2, "b", ""));
}

TEST_F(PostgresTest, ATransactionThatFailsIsRolledBack) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  const absl::Status status = pool_->Transaction([&](PostgresSession& session) -> absl::Status {
    EXPECT_OK(session.Run("INSERT INTO things(id) VALUES (1)").status());
    return absl::AbortedError("no");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_OK(Insert(1, "a", ""));
}

TEST_F(PostgresTest, ACutConnectionIsUnavailableAndTheNextCallConnectsAgain) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  ASSERT_OK(database_->CutConnections());
  EXPECT_THAT(Insert(1, "a", ""), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(Insert(1, "a", ""));
}

TEST_F(PostgresTest, AllOfTheCutConnectionsAreMadeAnew) {
  const auto pool = MakePool(2);
  const auto use_both = [&pool] {
    return pool->Transaction([&](PostgresSession&) { return pool->Run("SELECT 1").status(); });
  };
  ASSERT_OK(use_both());
  ASSERT_OK(database_->CutConnections());
  EXPECT_THAT(use_both(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(use_both());
}

TEST_F(PostgresTest, OnlyWhatWasNotAppliedForCertainIsAborted) {
  const auto raised = [this](absl::string_view state) {
    return pool_
        ->Run(
            absl::StrCat("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '", state, "'; END $$"))
        .status();
  };
  for (const char* state : {"40000", "40001", "40P01"}) {
    EXPECT_THAT(raised(state), StatusIs(absl::StatusCode::kAborted)) << state;
  }
  EXPECT_THAT(raised("40003"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PostgresTest, AConnectionThatMayOnlyReadIsUnavailableAndNotUsedAgain) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  const std::string database = absl::StrCat("ALTER DATABASE \"", database_->name(), "\" ");
  ASSERT_OK(
      database_->RunOnServer(absl::StrCat(database, "SET default_transaction_read_only = on")));
  const auto pool = MakePool(1);
  const auto insert = [&pool] {
    return pool->Transaction([](PostgresSession& session) {
      return session.Run("INSERT INTO things(id) VALUES (1)").status();
    });
  };
  EXPECT_THAT(insert(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(pool->Run("SELECT 1"));
  ASSERT_OK(database_->RunOnServer(absl::StrCat(database, "RESET default_transaction_read_only")));
  EXPECT_THAT(insert(), StatusIs(absl::StatusCode::kUnavailable));  // Made while it held.
  EXPECT_OK(insert());
}

TEST_F(PostgresTest, AfterAFailedConnectItWaitsBeforeTheNext) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  ASSERT_OK(database_->AllowConnections(false));
  ASSERT_OK(database_->CutConnections());
  EXPECT_THAT(Insert(1, "a", ""), StatusIs(absl::StatusCode::kUnavailable));  // The cut one.
  EXPECT_THAT(Insert(1, "a", ""), StatusIs(absl::StatusCode::kUnavailable));  // Refused.
  ASSERT_OK(database_->AllowConnections(true));
  EXPECT_THAT(Insert(1, "a", ""), StatusIs(absl::StatusCode::kUnavailable));  // Too early.
  clock_.Advance(pool_->options().backoff_min);
  EXPECT_OK(Insert(1, "a", ""));
}

TEST_F(PostgresTest, ItWaitsTwiceAsLongEachTimeAndAnewAfterASuccess) {
  ASSERT_OK(ApplyMigrations(*pool_, kMigrations));
  const absl::Duration wait = pool_->options().backoff_min;
  const auto fails = [this] { return absl::IsUnavailable(Insert(1, "a", "")); };
  ASSERT_OK(database_->AllowConnections(false));
  ASSERT_OK(database_->CutConnections());
  EXPECT_TRUE(fails()) << "the cut one";
  EXPECT_TRUE(fails());
  clock_.Advance(wait);
  EXPECT_TRUE(fails());
  ASSERT_OK(database_->AllowConnections(true));
  clock_.Advance(wait);
  EXPECT_TRUE(fails()) << "twice as long";
  clock_.Advance(wait);
  ASSERT_OK(Insert(1, "a", ""));
  ASSERT_OK(database_->AllowConnections(false));
  ASSERT_OK(database_->CutConnections());
  EXPECT_TRUE(fails()) << "the cut one";
  EXPECT_TRUE(fails());
  ASSERT_OK(database_->AllowConnections(true));
  clock_.Advance(wait);
  EXPECT_OK(Insert(2, "b", ""));
}

TEST_F(PostgresTest, NoMoreThanTheMaximumOfConnectionsIsLent) {
  const auto pool = MakePool(1);
  const absl::Status status = pool->Transaction([&](PostgresSession&) -> absl::Status {
    EXPECT_THAT(pool->Run("SELECT 1"), StatusIs(absl::StatusCode::kResourceExhausted));
    return absl::OkStatus();
  });
  EXPECT_OK(status);
  EXPECT_OK(pool->Run("SELECT 1"));
}

}  // namespace
}  // namespace bdcsync::sql
