#include "services/conflict/storage/postgres_desk_storage.h"
#include "libs/base/clock.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/conformance/desk_storage_conformance.h"
#include "services/conflict/storage/postgres_analysis_storage.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/postgres_rule_set_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr int kConnections = 4;

class PostgresHome final : public DeskStorageHome {
 public:
  explicit PostgresHome(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<DeskStorage> OpenDesk() override {
    return testing::ValueOrFail(OpenPostgresDeskStorage(database_->url(), kConnections, clock_));
  }
  std::unique_ptr<ResolutionStorage> OpenRecords() override {
    return testing::ValueOrFail(
        OpenPostgresResolutionStorage(database_->url(), kConnections, clock_));
  }
  std::unique_ptr<AnalysisStorage> OpenAnalysis() override {
    return testing::ValueOrFail(OpenPostgresAnalysisStorage(database_->url(), clock_));
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

std::unique_ptr<DeskStorageHome> MakeHome() {
  auto database = testing::DatabaseOrSkip();
  return database == nullptr ? nullptr : std::make_unique<PostgresHome>(std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, DeskStorageConformance,
                         ::testing::Values(DeskStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Postgres, AnalysisConformance,
                         ::testing::Values(DeskStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

// As a restart of the server does it: each storage has connections that nobody has used since.
TEST(PostgresStorages, ReadWhenTheirConnectionsWereCut) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  const SystemClock clock;
  ASSERT_OK_AND_ASSIGN(const auto desk, OpenPostgresDeskStorage(database->url(), 1, clock));
  ASSERT_OK_AND_ASSIGN(const auto records,
                       OpenPostgresResolutionStorage(database->url(), 1, clock));
  ASSERT_OK_AND_ASSIGN(const auto rules, OpenPostgresRuleSetStorage(database->url(), clock));
  ASSERT_OK_AND_ASSIGN(const auto analysis, OpenPostgresAnalysisStorage(database->url(), clock));
  ASSERT_OK(database->CutConnections());
  AnalysisQuery query;
  query.limit = 1;
  query.records_max = 1;
  EXPECT_OK(analysis->Count(query));
  EXPECT_OK(analysis->OldestCounted(query));
  EXPECT_OK(desk->Get({"c"}));
  EXPECT_OK(records->Get("s", "o"));
  EXPECT_OK(rules->Revision());
}

}  // namespace
}  // namespace bdcsync::conflict
