// A store that an older version made keeps its records after the upgrade, and each operation has
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using ::testing::SizeIs;

// Two records of operations with one op_id, in spaces s and t. `empty`: bytes, as the store writes
// them.
std::string RowsOf0004(absl::string_view empty) {
  const auto row = [empty](absl::string_view space, absl::string_view user) {
    return absl::StrCat("('", space, "', 'op', 'note', 'a', 'main', '', '', '", user, "', '', 5, ",
                        empty, ")");
  };
  return absl::StrCat(
      "INSERT INTO resolutions (space, op_id, entity_type, entity_id, branch, base_version_id, "
      "theirs_version_id, user_id, device_id, time_ms, decisions) VALUES ",
      row("s", "ada"), ", ", row("t", "bo"));
}

void ExpectOneRecordEach(ResolutionStorage& storage) {
  ASSERT_OK_AND_ASSIGN(const auto of_ada, storage.Get("s", "op"));
  ASSERT_TRUE(of_ada.has_value());
  EXPECT_EQ(of_ada->user_id(), "ada");
  v1::Resolution again = *of_ada;
  again.set_user_id("eve");
  ASSERT_OK(storage.Put({.resolutions = {again}}));
  ASSERT_OK_AND_ASSIGN(const auto of_eve, storage.Get("s", "op"));
  ASSERT_TRUE(of_eve.has_value());
  EXPECT_EQ(of_eve->user_id(), "eve");
  ASSERT_OK_AND_ASSIGN(const auto of_bo, storage.Get("t", "op"));
  ASSERT_TRUE(of_bo.has_value());
  EXPECT_EQ(of_bo->user_id(), "bo");
  ASSERT_OK_AND_ASSIGN(const auto page, storage.List({.space = "s", .limit = 10}));
  EXPECT_THAT(page, SizeIs(1));
}

// Records in an order of numbers that is not that of their times.
std::string RowsOf0005(absl::string_view empty) {
  std::string rows;
  for (const auto& [op_id, time_ms] : {std::pair{"x", 30}, {"y", 10}, {"z", 20}}) {
    absl::StrAppend(&rows, rows.empty() ? "" : ", ", "('s', '", op_id,
                    "', 'note', 'a', 'main', '', '', 'ada', '', ", time_ms, ", ", empty, ")");
  }
  return absl::StrCat(
      "INSERT INTO resolutions (space, op_id, entity_type, entity_id, branch, base_version_id, "
      "theirs_version_id, user_id, device_id, time_ms, decisions) VALUES ",
      rows);
}

void ExpectOrderOfTime(ResolutionStorage& storage) {
  v1::Resolution resolution;
  resolution.set_op_id("w");
  resolution.mutable_entity()->set_space("s");
  resolution.mutable_entity()->set_entity_type("note");
  resolution.mutable_entity()->set_entity_id("a");
  resolution.set_time_ms(20);
  ASSERT_OK(storage.Put({.resolutions = {resolution}}));
  for (const ResolutionQuery& query :
       {ResolutionQuery{.space = "s", .limit = 10}, ResolutionQuery{.limit = 10},
        ResolutionQuery{.space = "s", .entity_type = "note", .limit = 10},
        ResolutionQuery{.space = "s", .entity_type = "note", .entity_id = "a", .limit = 10}}) {
    ASSERT_OK_AND_ASSIGN(const auto page, storage.List(query));
    std::string order;
    for (const StoredResolution& stored : page) order += stored.resolution.op_id();
    EXPECT_EQ(order, "xwzy");
  }
}

using RowsOf = std::string (*)(absl::string_view empty);
using Expect = void (*)(ResolutionStorage& storage);

// A store that the first `migrations` made, with these rows, opened by this version.
void UpgradeSqlite(std::size_t migrations, RowsOf rows, Expect expect) {
  const testing::TempDir folder;
  const std::string path = folder.File("resolutions.db");
  {
    ASSERT_OK_AND_ASSIGN(auto database, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations().subspan(0, migrations)));
    ASSERT_OK(database->Run(rows("x''").c_str()));
  }
  ASSERT_OK_AND_ASSIGN(const auto storage, OpenSqliteResolutionStorage(path));
  expect(*storage);
}

void UpgradePostgres(std::size_t migrations, RowsOf rows, Expect expect) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  const SystemClock clock;
  {
    sql::PostgresOptions options;
    options.url = database->url();
    options.schema = "conflict";
    sql::PostgresPool pool(options, clock);
    ASSERT_OK(sql::ApplyMigrations(pool, PostgresMigrations().subspan(0, migrations)));
    ASSERT_OK(pool.Run(rows("''")));
  }
  ASSERT_OK_AND_ASSIGN(const auto storage,
                       OpenPostgresResolutionStorage(database->url(), 1, clock));
  expect(*storage);
}

TEST(UpgradeTest, ASqliteStoreOf0005IsListedInOrderOfTime) {
  UpgradeSqlite(5, RowsOf0005, ExpectOrderOfTime);
}

TEST(UpgradeTest, APostgresStoreOf0005IsListedInOrderOfTime) {
  UpgradePostgres(5, RowsOf0005, ExpectOrderOfTime);
}

TEST(UpgradeTest, ASqliteStoreOf0004KeepsOneRecordOfEachOperation) {
  UpgradeSqlite(4, RowsOf0004, ExpectOneRecordEach);
}

TEST(UpgradeTest, APostgresStoreOf0004KeepsOneRecordOfEachOperation) {
  UpgradePostgres(4, RowsOf0004, ExpectOneRecordEach);
}

}  // namespace
}  // namespace bdcsync::conflict
