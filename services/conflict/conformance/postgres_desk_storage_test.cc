#include "services/conflict/storage/postgres_desk_storage.h"
#include "libs/base/clock.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/conformance/desk_storage_conformance.h"
#include "services/conflict/storage/postgres_analysis_storage.h"
#include "services/conflict/storage/postgres_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr int kConnections = 4;

class PostgresHome final : public DeskStorageHome {
 public:
  explicit PostgresHome(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<DeskStorage> OpenDesk() override {
    auto storage = OpenPostgresDeskStorage(database_->url(), kConnections, clock_);
    EXPECT_OK(storage);
    return storage.ok() ? *std::move(storage) : nullptr;
  }
  std::unique_ptr<ResolutionStorage> OpenRecords() override {
    auto storage = OpenPostgresResolutionStorage(database_->url(), kConnections, clock_);
    EXPECT_OK(storage);
    return storage.ok() ? *std::move(storage) : nullptr;
  }
  std::unique_ptr<AnalysisStorage> OpenAnalysis() override {
    auto storage = OpenPostgresAnalysisStorage(database_->url(), clock_);
    EXPECT_OK(storage);
    return storage.ok() ? *std::move(storage) : nullptr;
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

void SkipOrFail() { BDC_NEEDS_POSTGRES(); }

std::unique_ptr<DeskStorageHome> MakeHome() {
  if (!testing::HasPostgres()) {
    SkipOrFail();
    return nullptr;
  }
  auto database = testing::PostgresDatabase::Create();
  EXPECT_OK(database);
  if (!database.ok()) return nullptr;
  return std::make_unique<PostgresHome>(*std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, DeskStorageConformance,
                         ::testing::Values(DeskStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Postgres, AnalysisConformance,
                         ::testing::Values(DeskStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
