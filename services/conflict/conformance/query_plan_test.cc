// No statement of this service reads a table from end to end, on either database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/query_plans.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_analysis_statements.h"
#include "services/conflict/storage/postgres_desk_statements.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/postgres_statements.h"
#include "services/conflict/storage/sqlite_analysis_statements.h"
#include "services/conflict/storage/sqlite_desk_statements.h"
#include "services/conflict/storage/sqlite_statements.h"

namespace bdcsync::conflict {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SqlitePlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(database_,
                         sql::SqliteDatabase::Open(sql::kSqliteMemory, sql::SqliteOptions()));
    ASSERT_OK(sql::ApplyMigrations(*database_, SqliteMigrations()));
  }
  std::string PlanOf(const char* statement) { return testing::PlanOf(*database_, statement); }

  std::unique_ptr<sql::SqliteDatabase> database_;
};

TEST_F(SqlitePlanTest, ReadsSearchAndTakeTheirOrderFromTheIndex) {
  for (const char* statement : {sqlite::kListSpace,
                                sqlite::kListType,
                                sqlite::kListEntity,
                                sqlite::kListAll,
                                sqlite::kGet,
                                sqlite::kClosing,
                                sqlite::kUndoneBy,
                                sqlite::kMarkUndone,
                                sqlite::kDropRecord,
                                sqlite::kGetConflict,
                                sqlite::kForgetConflict,
                                sqlite::kListConflicts,
                                sqlite::kListConflictsOfType,
                                sqlite::kListConflictsOfEntity,
                                sqlite::kListConflictsOfAssignee,
                                sqlite::kListDeadlines,
                                sqlite::kListUncertain,
                                sqlite::kNextDeadline,
                                sqlite::kAssign,
                                sqlite::kKeepChoices,
                                sqlite::kCountOpen,
                                sqlite::kDeleteRecords,
                                sqlite::kDeleteConflicts}) {
    const std::string plan = PlanOf(statement);
    EXPECT_THAT(plan, HasSubstr("SEARCH")) << statement;
    EXPECT_THAT(plan, Not(HasSubstr("SCAN"))) << statement << "\n" << plan;
    EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << statement << "\n" << plan;
  }
}

// What is counted is searched by time; only what was found is sorted.
TEST_F(SqlitePlanTest, TheAnalysisSearchesByTime) {
  for (const char* statement : {sqlite::kCountRows, sqlite::kCountPlaces, sqlite::kCountAllRows,
                                sqlite::kCountAllPlaces, sqlite::kOldest, sqlite::kOldestOfAll}) {
    const std::string plan = PlanOf(statement);
    EXPECT_THAT(plan, HasSubstr("SEARCH resolutions USING INDEX resolutions_by_")) << plan;
    EXPECT_THAT(plan, HasSubstr("SEARCH conflicts USING INDEX conflicts_by_")) << plan;
    EXPECT_THAT(plan, Not(HasSubstr("SCAN resolutions"))) << plan;
    EXPECT_THAT(plan, Not(HasSubstr("SCAN conflicts"))) << plan;
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
    ASSERT_OK(OpenPostgresResolutionStorage(database_->url(), 1, clock_).status());
    sql::PostgresOptions options;
    options.url = database_->url();
    options.schema = "conflict";
    pool_ = std::make_unique<sql::PostgresPool>(options, clock_);
  }
  std::string PlanOf(const Query& query) {
    return testing::PlanOf(*pool_, query.statement, query.arguments);
  }
  void Fill() {
    ASSERT_OK(pool_->Run(
        "INSERT INTO resolutions (space, op_id, entity_type, entity_id, branch, base_version_id, "
        "theirs_version_id, user_id, device_id, time_ms, decisions) SELECT 's' || i % 100, i, "
        "'t' || i % 50, 'e' || i % 999, 'main', '', '', '', '', i, '' "
        "FROM generate_series(1, 20000) i;"
        "INSERT INTO conflicts SELECT md5(i::text), 's' || i % 100, 't' || i % 50, "
        "'e' || i % 999, CASE WHEN i % 100 = 0 THEN i / 100 % 3 + 1 ELSE 4 END, "
        "CASE WHEN i % 300 = 0 THEN 'ada' ELSE '' END, '', '', i, i, "
        "CASE WHEN i % 100 = 0 THEN 0 ELSE i END, i, '[]', '', '' "
        "FROM generate_series(1, 20000) i;"
        "ANALYZE"));
  }

  SystemClock clock_;
  std::unique_ptr<testing::PostgresDatabase> database_;
  std::unique_ptr<sql::PostgresPool> pool_;
};

std::vector<Query> AllQueries() {
  const std::string conflict_list = "'s1', '{2,3}', 1000, 'a', 10";
  const std::string count = "'s1', 0, 9000, '', 1000, 1, ";
  const std::string count_all = "'', 19000, 20000, '', 1000, 1, ";
  return {
      {postgres::kListSpace, "'s1', 1000, 1, 10, 99", "resolutions_"},
      {postgres::kListType, "'s1', 1000, 1, 10, 99, 't1'", "resolutions_"},
      {postgres::kListEntity, "'s1', 1000, 1, 10, 99, 't1', 'e1'", "resolutions_"},
      {postgres::kListAll, "'', 1000, 1, 10, 99", "resolutions_by_time"},
      {postgres::kGet, "'s1', 'a'", "resolutions_of_operation"},
      {postgres::kClosing, "'s1', 'a'", "resolutions_of_operation"},
      {postgres::kMarkUndone, "'s1', 'a', 'v', 'u'", "resolutions_of_operation"},
      {postgres::kDropRecords, "'{s1}', '{a}'", "resolutions_of_operation"},
      {postgres::kGetConflicts, "'{a}'", "conflicts_pkey"},
      {postgres::kForgetConflicts, "'{a}'", "conflicts_pkey"},
      {postgres::kListConflicts, conflict_list, "conflicts_of_"},
      {postgres::kListConflictsOfType, conflict_list + ", 't1'", "conflicts_of_"},
      {postgres::kListConflictsOfEntity, conflict_list + ", 't1', 'e1', ''", "conflicts_of_"},
      {postgres::kListConflictsOfAssignee, conflict_list + ", '', 'ada'", "conflicts_of_"},
      {postgres::kListDeadlines, "1000, 10", "conflicts_by_"},
      {postgres::kListUncertain, "1000, 10, 2::int2", "conflicts_by_check"},
      {postgres::kNextDeadline, "1000", "conflicts_by_"},
      {postgres::kAssign, "'a', 'ada'", "conflicts_pkey"},
      {postgres::kKeepChoices, "'a', '', ''", "conflicts_pkey"},
      {postgres::kCountOpen, "2::int2", "conflicts_by_check"},
      {postgres::kDeleteRecords, "100, 10", "resolutions_by_time"},
      {postgres::kDeleteConflicts, "100, 10", "conflicts_by_time"},
      {postgres::kOldest, "'s1', 0, 9000, '', 10", "resolutions_by_"},
      {postgres::kOldestOfAll, "'', 19000, 20000, '', 10", "resolutions_by_time"},
      {postgres::kCountRows, count + "60000, 10", "resolutions_by_"},
      {postgres::kCountPlaces, count + "10", "conflicts_by_"},
      {postgres::kCountAllRows, count_all + "60000, 10", "resolutions_by_time"},
      {postgres::kCountAllPlaces, count_all + "10", "conflicts_by_time"},
  };
}

TEST_F(PostgresPlanTest, NoStatementScansATable) {
  for (const bool full : {false, true}) {
    if (full) {
      ASSERT_NO_FATAL_FAILURE(Fill());
    }
    for (const Query& query : AllQueries()) {
      const std::string plan = PlanOf(query);
      // Of an empty table any index is as good as the other.
      if (full) {
        EXPECT_THAT(plan, HasSubstr(query.index)) << query.statement.name << "\n" << plan;
      }
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << query.statement.name << "\n" << plan;
    }
  }
}

}  // namespace
}  // namespace bdcsync::conflict
