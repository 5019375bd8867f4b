#include "libs/sql/sqlite.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "libs/sql/migrations.h"
#include "libs/testing/sqlite_faults.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::sql {
namespace {

using bdcsync::testing::StatusIs;
using bdcsync::testing::TempDir;

constexpr Migration kMigrations[] = {
    {1, "0001_things.sql", "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)"},
    {2, "0002_more.sql", "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7"},
};

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    database_.reset();
    ASSERT_OK_AND_ASSIGN(database_, SqliteDatabase::Open(dir_.File("test.db"), SqliteOptions()));
  }
  absl::StatusOr<int64_t> Number(absl::string_view sql) {
    absl::StatusOr<SqliteStatement> statement = database_->Prepare(sql);
    if (!statement.ok()) return statement.status();
    const absl::StatusOr<bool> row = statement->Step();
    if (!row.ok()) return row.status();
    return statement->Int64(0);
  }
  TempDir dir_;
  std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SqliteTest, WhatWasCommittedIsThereAfterReopening) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->Run("INSERT INTO things(id, name) VALUES (1, 'a')"));
  Reopen();
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK_AND_ASSIGN(const int64_t size, Number("SELECT size FROM things WHERE id = 1"));
  EXPECT_EQ(size, 7);
}

TEST_F(SqliteTest, ANewerSchemaIsRefused) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  EXPECT_THAT(ApplyMigrations(*database_, absl::MakeSpan(kMigrations).subspan(0, 1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteTest, AFailingMigrationLeavesNoTrace) {
  const Migration broken[] = {kMigrations[0], {2, "0002_bad.sql", "CREATE TABLE nope("}};
  EXPECT_FALSE(ApplyMigrations(*database_, broken).ok());
  EXPECT_FALSE(Number("SELECT count(*) FROM things").ok());
  EXPECT_OK(ApplyMigrations(*database_, kMigrations));
}

TEST_F(SqliteTest, AReadWithinATransactionIsAPartOfIt) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->Run("BEGIN; INSERT INTO things(id, name) VALUES (1, 'a')"));
  int64_t seen = 0;
  EXPECT_OK(database_->ReadTransaction([&]() -> absl::Status {
    const absl::StatusOr<int64_t> count = Number("SELECT count(*) FROM things");
    seen = count.value_or(-1);
    return count.status();
  }));
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(database_->in_transaction());
  ASSERT_OK(database_->Run("ROLLBACK"));
  EXPECT_FALSE(database_->in_transaction());
}

TEST_F(SqliteTest, WhatWasCommittedWithoutAFlushIsFlushedLater) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->CommitWithoutFlush());
  ASSERT_OK_AND_ASSIGN(const int64_t level, Number("PRAGMA synchronous"));
  EXPECT_EQ(level, 1);  // Normal: a checkpoint flushes, a commit does not.
  ASSERT_OK(database_->Run("INSERT INTO things(id, name) VALUES (1, 'a')"));
  EXPECT_OK(database_->FlushLog());
}

// A checkpoint begins with a flush of the log. When that failed within a commit, nobody was told.
TEST_F(SqliteTest, AFlushThatFailsIsToldAndNotHiddenInACheckpoint) {
  testing::SqliteFaults faults;
  database_.reset();
  SqliteOptions options;
  options.log_bytes = 4096;
  ASSERT_OK_AND_ASSIGN(database_, SqliteDatabase::Open(dir_.File("test.db"), options));
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->CommitWithoutFlush());
  ASSERT_OK(database_->Run("INSERT INTO things(name) VALUES ('the log begins again')"));
  faults.FailLogFlushes(1);
  ASSERT_OK(database_->Run("INSERT INTO things(name) VALUES ('a')"));
  EXPECT_THAT(database_->FlushLog(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SqliteTest, ALongLogIsBroughtIntoTheFileAfterItsFlush) {
  testing::SqliteFaults faults;
  for (const int64_t log_bytes : {1 << 20, 4096}) {
    database_.reset();
    SqliteOptions options;
    options.log_bytes = log_bytes;
    ASSERT_OK_AND_ASSIGN(database_, SqliteDatabase::Open(dir_.File("test.db"), options));
    ASSERT_OK(ApplyMigrations(*database_, kMigrations));
    ASSERT_OK(database_->CommitWithoutFlush());
    ASSERT_OK(database_->Run("INSERT INTO things(name) VALUES ('a')"));
    faults.TakeFlushes();
    ASSERT_OK(database_->Run("INSERT INTO things(name) VALUES ('a')"));
    EXPECT_EQ(faults.TakeFlushes(), "");
    ASSERT_OK(database_->FlushLog());
    EXPECT_EQ(faults.TakeFlushes(), log_bytes == 4096 ? "log,log,file" : "log");
  }
}

TEST_F(SqliteTest, AnEmptiedLogIsInTheFile) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->CommitWithoutFlush());
  ASSERT_OK(database_->Run("INSERT INTO things(id, name) VALUES (1, 'a')"));
  ASSERT_OK(database_->EmptyLog());
  EXPECT_EQ(std::filesystem::file_size(dir_.File("test.db-wal")), 0);
}

TEST_F(SqliteTest, ALogThatAnotherStillReadsIsNotEmptied) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  SqliteOptions options;
  options.read_only = true;
  ASSERT_OK_AND_ASSIGN(const auto reader, SqliteDatabase::Open(dir_.File("test.db"), options));
  ASSERT_OK(reader->Run("BEGIN; SELECT * FROM things"));
  ASSERT_OK(database_->Run("PRAGMA busy_timeout = 1; INSERT INTO things(name) VALUES ('a')"));
  EXPECT_THAT(database_->EmptyLog(), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(reader->Run("COMMIT"));
  EXPECT_OK(database_->EmptyLog());
}

TEST_F(SqliteTest, InMemoryThereIsNothingToFlush) {
  ASSERT_OK_AND_ASSIGN(const auto memory, SqliteDatabase::Open(kSqliteMemory, SqliteOptions()));
  EXPECT_OK(memory->FlushLog());
}

TEST_F(SqliteTest, ATransactionThatFailsIsRolledBack) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  const absl::Status status = database_->Transaction([&]() -> absl::Status {
    EXPECT_OK(database_->Run("INSERT INTO things(id, name) VALUES (1, 'a')"));
    return absl::AbortedError("no");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  ASSERT_OK_AND_ASSIGN(const int64_t count, Number("SELECT count(*) FROM things"));
  EXPECT_EQ(count, 0);
}

TEST_F(SqliteTest, ThePageCacheTellsWhatItHoldsAndWhatItWasAskedSince) {
  ASSERT_OK(database_->Run("CREATE TABLE t (a); INSERT INTO t VALUES (1)"));
  (void)database_->TakePageCache();
  ASSERT_OK(database_->Run("SELECT * FROM t"));
  const SqlitePageCache used = database_->TakePageCache();
  EXPECT_GT(used.bytes, 0);
  EXPECT_GT(used.hits + used.misses, 0);
  const SqlitePageCache after = database_->TakePageCache();
  EXPECT_EQ(after.hits + after.misses, 0);
}

TEST_F(SqliteTest, AUniqueViolationIsAlreadyExists) {
  ASSERT_OK(ApplyMigrations(*database_, kMigrations));
  ASSERT_OK(database_->Run("INSERT INTO things(id, name) VALUES (1, 'a')"));
  EXPECT_THAT(database_->Run("INSERT INTO things(id, name) VALUES (1, 'b')"),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(SqliteTest, BytesAndEmptyTextComeBackAsTheyWere) {
  ASSERT_OK_AND_ASSIGN(SqliteStatement echo, database_->Prepare("SELECT ?1, ?2"));
  const std::string bytes("\0\xff x", 4);
  echo.BindBlob(1, bytes);
  echo.BindText(2, "");
  ASSERT_OK_AND_ASSIGN(const bool row, echo.Step());
  ASSERT_TRUE(row);
  EXPECT_EQ(std::string(echo.Blob(0)), bytes);
  EXPECT_FALSE(echo.IsNull(1));
  EXPECT_EQ(echo.Text(1), "");
}

}  // namespace
}  // namespace bdcsync::sql
