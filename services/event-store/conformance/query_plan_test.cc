// Every read of the hot path is index lookups, on both databases.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/query_plans.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/storage/open.h"
#include "services/event-store/storage/postgres_commit.h"
#include "services/event-store/storage/postgres_commit_statement.h"
#include "services/event-store/storage/postgres_event_storage.h"
#include "services/event-store/storage/postgres_statements.h"
#include "services/event-store/storage/sqlite_statements.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(QueryPlanTest, SqliteReadsSearchAndNeverScan) {
  ASSERT_OK_AND_ASSIGN(auto database,
                       sql::SqliteDatabase::Open(sql::kSqliteMemory, sql::SqliteOptions()));
  ASSERT_OK(database->DefineFunction("stream_id_of", 2, [](auto) { return std::string(); }));
  ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations()));
  for (const char* statement :
       {sqlite::kFindSpace, sqlite::kFindStream, sqlite::kFindOperation, sqlite::kEvent,
        sqlite::kStreamFirst, sqlite::kStreamForward, sqlite::kStreamBackward, sqlite::kSpaceAll,
        sqlite::kSpaceLatest, sqlite::kLogEvents, sqlite::kLog, sqlite::kSnapshot}) {
    const std::string text = testing::PlanOf(*database, statement);
    EXPECT_THAT(text, HasSubstr("SEARCH")) << statement;
    EXPECT_THAT(text, Not(HasSubstr("SCAN"))) << statement;
    EXPECT_THAT(text, Not(HasSubstr("TEMP B-TREE"))) << statement;
  }
}

struct Query {
  sql::PostgresStatement statement;
  std::string arguments;
  std::string index;  // Must be used.
};

class PostgresPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BDC_NEEDS_POSTGRES();
    ASSERT_OK_AND_ASSIGN(database_, testing::PostgresDatabase::Create());
    PostgresEventStorageOptions postgres;
    postgres.url = database_->url();
    ASSERT_OK_AND_ASSIGN(
        storage_, OpenPostgresEventStorage(postgres, EventStorageOptions(), clock_, random_));
    sql::PostgresOptions options;
    options.url = database_->url();
    options.schema = "event_store";
    pool_ = std::make_unique<sql::PostgresPool>(options, clock_);
  }
  std::string PlanOf(const Query& query) {
    return testing::PlanOf(*pool_, query.statement, query.arguments);
  }

  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<testing::PostgresDatabase> database_;
  std::unique_ptr<EventStorage> storage_;
  std::unique_ptr<sql::PostgresPool> pool_;
};

// Once joined the other way round, each lookup scanned every stream of its log.
TEST_F(PostgresPlanTest, ANameIsLookedUpWithinItsSpace) {
  const std::vector<Query> queries = {
      {postgres::kFindOperations, "'{1}', '{s}', '{00000000-0000-0000-0000-000000000000}'",
       "AND (space_id = spaces.space_id) AND"},
  };
  for (const Query& query : queries) {
    const std::string plan = PlanOf(query);
    EXPECT_THAT(plan, HasSubstr(query.index)) << query.statement.name << "\n" << plan;
  }
}

// An index over time finds every block once the table has gone round, and a sweep that runs into
// its timeout sweeps nothing, ever.
TEST_F(PostgresPlanTest, ASweepLooksAtSoManyBlocksAndTheNextGoesOnThere) {
  constexpr int kKeys = 5000;
  constexpr int kBlocks = 4;
  OpenOptions options;
  options.url = database_->url();
  options.sweep_bytes_max = kBlocks * kBlockBytes;
  ASSERT_OK_AND_ASSIGN(const OpenedStorage opened, OpenEventStorage(options, clock_, random_));
  ASSERT_OK(pool_->Run(absl::StrCat(
      "INSERT INTO operation_keys(log_id, space_id, op_key, request_hash, position, time_ms) "
      "SELECT 1, 1, md5(i::text)::uuid, 1, i, i FROM generate_series(1, ",
      kKeys, ") i")));
  ASSERT_OK_AND_ASSIGN(const sql::PostgresResult size,
                       pool_->Execute(postgres::kOperationBlocks, sql::PostgresParams()));
  const int64_t sweeps = (size.Int64(0, 0) + kBlocks - 1) / kBlocks;
  ASSERT_GT(sweeps, 5);
  const auto sweep = [&](int64_t before_ms, int64_t rows_max) {
    const absl::StatusOr<int64_t> swept = opened.storage->SweepOperations(before_ms, rows_max);
    EXPECT_OK(swept);
    return swept.value_or(-1);
  };
  for (int64_t i = 0; i < sweeps; ++i) EXPECT_EQ(sweep(1, kKeys), 0) << "none is that old";
  EXPECT_EQ(sweep(kKeys + 1, 10), 10);
  int64_t all = 10;
  for (int64_t i = 0; i < sweeps; ++i) {
    const int64_t swept = sweep(kKeys + 1, kKeys);
    EXPECT_LE(swept, kKeys / 4) << "the blocks of one sweep hold no more";
    all += swept;
  }
  EXPECT_EQ(all, kKeys);
  EXPECT_THAT(PlanOf({postgres::kSweepOperations, "1000, 10, 0, 4", ""}),
              HasSubstr("Tid Range Scan"));
}

constexpr char kStream[] = "'00000000-0000-0000-0000-000000000000'";

TEST_F(PostgresPlanTest, ReadsUseTheirIndexesWhenTablesAreEmptyAndWhenTheyAreFull) {
  const std::vector<Query> queries = {
      {postgres::kFindSpaces, "'{1}', '{s}'", "spaces_by_name"},
      {postgres::kFindSpaces, "'{1}', '{s}'", "Backward using streams_by_seq"},
      {postgres::kFindStreams, "'{1}', '{00000000-0000-0000-0000-000000000000}'", "streams_pkey"},
      {postgres::kFindOperations, "'{1}', '{s}', '{00000000-0000-0000-0000-000000000000}'",
       "operation_keys_pkey"},
      {postgres::kReadHeads, "'{1}', '{00000000-0000-0000-0000-000000000000}', true, 1000",
       "streams_pkey"},
      {postgres::kReadEvents, "'{1}', '{5}', 1000", "_pkey"},
      {postgres::kReadStreamForward, absl::StrCat("1, ", kStream, ", 1, 10, 1000, true, 0"),
       "revision"},
      {postgres::kReadStreamBackward, absl::StrCat("1, ", kStream, ", 9, 10, 1000, true, 0"),
       "revision"},
      {postgres::kReadSpaceAll, "1, 's', 0, 10, 1000, true, true, 0::int2", "seq"},
      {postgres::kReadSpaceLatest, "1, 's', 0, 10, 1000, true, true, 0::int2", "streams_by_seq"},
      {postgres::kReadLog, "1, 0, 10, 1000, true", "_pkey"},
      {postgres::kGetSnapshot, absl::StrCat("1, ", kStream, ", 0"), "snapshots_pkey"},
  };
  for (const bool full : {false, true}) {
    if (full) {
      ASSERT_OK(
          pool_->Run("INSERT INTO spaces SELECT 1, i, 's' || i FROM generate_series(1, 1000) i;"
                     "INSERT INTO streams SELECT 1, md5(i::text)::uuid, i % 1000, i, i, 1, i, i, "
                     "0, 1, false, 'a' || i FROM generate_series(1, 20000) i;"
                     "INSERT INTO events SELECT 1, i, i % 1000, i, md5(i::text)::uuid, 1, 0, 0, "
                     "false, 0, 0, '', '' FROM generate_series(1, 20000) i;"
                     "INSERT INTO operation_keys SELECT 1, i % 1000, gen_random_uuid(), 0, i, 0 "
                     "FROM generate_series(1, 20000) i;"
                     "ANALYZE"));
    }
    for (const Query& query : queries) {
      const std::string plan = PlanOf(query);
      EXPECT_THAT(plan, HasSubstr(query.index)) << query.statement.name << "\n" << plan;
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << query.statement.name << "\n" << plan;
    }
  }
}

// An entry in each index of its row for each event of a stream was a third of what it cost.
TEST_F(PostgresPlanTest, AnotherEventOfAStreamMakesNoIndexEntry) {
  ASSERT_OK(
      pool_->Run("INSERT INTO streams VALUES (1, md5('a')::uuid, 1, 1, 1, 1, 1, 1, 0, 1, "
                 "false, 'a')"));
  std::vector<int64_t> hot;  // So far, after the event with each seq.
  ASSERT_OK(pool_->Transaction([&](sql::PostgresSession& session) -> absl::Status {
    for (const int seq : {1023, 1024, 2047}) {
      const auto moved = session.Run(absl::StrCat("UPDATE streams SET last_seq = ", seq));
      if (!moved.ok()) return moved.status();
      const auto count =
          session.Run("SELECT pg_stat_get_xact_tuples_hot_updated('streams'::regclass)");
      if (!count.ok()) return count.status();
      hot.push_back(count->Int64(0, 0));
    }
    return absl::OkStatus();
  }));
  EXPECT_THAT(hot, ElementsAre(1, 1, 2)) << "1024 begins another range: the index must know";
}

// Parameters of all parts: two names, 6 of logs, 17 of events, 3 of spaces.
TEST_F(PostgresPlanTest, ACommitFindsTheStreamsThatItChangesByTheirKey) {
  std::string arrays = "'', '', '{1}'";
  std::string values = "NULL";
  for (int i = 1; i < 26; ++i) {
    absl::StrAppend(&arrays, ", '{}'");
    absl::StrAppend(&values, ", NULL");
  }
  const uint32_t arrays_of_logs = kAllCommitParts & ~kOneRow;
  for (const auto& [parts, arguments] :
       {std::pair(arrays_of_logs, arrays), std::pair(arrays_of_logs & ~kSeveralLogs, arrays),
        std::pair(kAllCommitParts & ~kSeveralLogs, values)}) {
    const std::string plan = PlanOf({CommitStatement(parts), arguments, ""});
    EXPECT_THAT(plan, HasSubstr("streams_pkey")) << plan;
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << plan;
  }
}

// Whether the name is looked at where no log won is the planner's choice.
TEST_F(PostgresPlanTest, ACommitThatIsNotAppliedLeavesNoNameInWhateverOrderItsPartsAreJoined) {
  LogWrite write;
  write.epoch = static_cast<uint64_t>(storage_->LoadLogs({0})->at(0).epoch);
  write.position = 1;
  write.next_position = 3;
  const StreamId id = StreamIdOf("s", "a");
  for (const int64_t position : {1, 2}) {
    write.events.push_back({position, 1, position, id, position, 0, false, "", ""});
  }
  DataCodec codec;
  PostgresCommit commit = MakeCommit({write}, codec, "name");
  std::string text = commit.statement.text;
  const std::string as_written = "FROM won, written";
  ASSERT_NE(text.find(as_written), std::string::npos) << text;
  for (const std::string& order : {as_written, std::string("FROM written, won")}) {
    text.replace(text.find("FROM w", text.size() - as_written.size()), as_written.size(), order);
    for (const bool applied : {false, true}) {
      SetBehind(commit, applied ? "" : "nothing of that name");
      ASSERT_THAT(pool_->Transaction([&](sql::PostgresSession& session) -> absl::Status {
        const std::string name = absl::StrCat(order, applied);
        RETURN_IF_ERROR(session.Execute({name.c_str(), text.c_str()}, commit.params).status());
        ASSIGN_OR_RETURN(const sql::PostgresResult left,
                         session.Run("SELECT current_setting('bdcsync.commit', true)"));
        EXPECT_EQ(left.Text(0, 0), applied ? "name" : "") << text;
        return absl::AbortedError("take it back");
      }),
                  testing::StatusIs(absl::StatusCode::kAborted));
    }
  }
}

}  // namespace
}  // namespace bdcsync::event_store
