// No statement of this service reads a table from end to end, on either database: what it costs
// does not grow with the devices of others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/query_plans.h"
#include "libs/testing/status_matchers.h"
#include "services/device-sync/storage/migrations.h"
#include "services/device-sync/storage/postgres_statements.h"
#include "services/device-sync/storage/sqlite_statements.h"

namespace bdcsync::device_sync {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SqlitePlanTest, NoStatementScansOrSortsATable) {
  ASSERT_OK_AND_ASSIGN(auto database,
                       sql::SqliteDatabase::Open(sql::kSqliteMemory, sql::SqliteOptions()));
  ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations()));
  for (const char* statement :
       {sqlite::kKnown, sqlite::kCount, sqlite::kGet, sqlite::kFirstPage, sqlite::kNextPage,
        sqlite::kRemove, sqlite::kRemoveCursors, sqlite::kRevoke, sqlite::kPutPurge,
        sqlite::kForgetCursors, sqlite::kPurges, sqlite::kRemovePurges, sqlite::kNote,
        sqlite::kPutCursor, sqlite::kCursors, sqlite::kSpaces}) {
    const std::string plan = testing::PlanOf(*database, statement);
    EXPECT_THAT(plan, HasSubstr("SEARCH")) << statement;
    EXPECT_THAT(plan, Not(HasSubstr("SCAN"))) << statement << "\n" << plan;
    EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << statement << "\n" << plan;
  }
}

struct Query {
  sql::PostgresStatement statement;
  std::string arguments;
};

std::vector<Query> AllQueries() {
  return {
      {postgres::kKnown, "'{u1}', '{d1}'"},
      {postgres::kCounts, "'{u1}'"},
      {postgres::kPut,
       "'{u1}', '{d1}', '{a}', '{1}', '{web}', '{1}', '{50}', '{t}', '{0}', '{t}', "
       "'{1}', 1000"},
      {postgres::kGetNamed, "'{u1}', '{d1}'"},
      {postgres::kSpaces, "'{u1}', '{d1}', 10"},
      {postgres::kGet, "'u1', 'd1'"},
      {postgres::kFirstPage, "'u1', 10"},
      {postgres::kNextPage, "'u1', 10, 1000, 'd1'"},
      {postgres::kRemove, "'u1', 'd1'"},
      {postgres::kRemoveCursors, "'u1', 'd1'"},
      {postgres::kRemovePurges, "'u1', 'd1'"},
      {postgres::kRevoke, "'u1', 'd1', 1000"},
      {postgres::kHoldForPurges, "'{u1}', '{d1}', '{s1}'"},
      {postgres::kPutPurges, "'{u1}', '{d1}', '{s1}', 1000, 10"},
      {postgres::kForgetCursors, "'{u1}', '{d1}', '{s1}'"},
      {postgres::kPurges, "'u1', '{d1}'"},
      {postgres::kNote, "'{u1}', '{d1}', '{t}', '{t}', '{1}', '{50}', '{t}', '{0}', 1000"},
      {postgres::kPutCursors, "'{u1}', '{d1}', '{s1}', '{1}', '{1}'"},
      {postgres::kCursors, "'u1', 'd1'"},
  };
}

TEST(PostgresPlanTest, NoStatementScansATable) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  const SystemClock clock;
  sql::PostgresOptions options;
  options.url = database->url();
  options.schema = "device_sync";
  sql::PostgresPool pool(options, clock);
  ASSERT_OK(sql::ApplyMigrations(pool, PostgresMigrations()));
  ASSERT_OK(pool.Run(
      "INSERT INTO devices SELECT 'u' || i % 5000, 'd' || i, '', '', '', 0, 0, false, 0, i, i, "
      "false FROM generate_series(1, 20000) i;"
      "INSERT INTO cursors SELECT 'u' || i % 5000, 'd' || i % 20000, 's' || i, 1, i "
      "FROM generate_series(1, 40000) i;"
      "INSERT INTO purges SELECT 'u' || i % 5000, 'd' || i % 20000, 's' || i, i "
      "FROM generate_series(1, 40000) i;"
      "ANALYZE"));
  for (const Query& query : AllQueries()) {
    const std::string plan = testing::PlanOf(pool, query.statement, query.arguments);
    EXPECT_THAT(plan, HasSubstr("Index")) << query.statement.name << "\n" << plan;
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on devices"))) << plan;
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on cursors"))) << plan;
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on purges"))) << plan;
  }
}

}  // namespace
}  // namespace bdcsync::device_sync
