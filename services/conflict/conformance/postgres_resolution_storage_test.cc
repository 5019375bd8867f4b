#include "services/conflict/storage/postgres_resolution_storage.h"
#include "libs/base/clock.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/conformance/resolution_storage_conformance.h"

namespace bdcsync::conflict {
namespace {

constexpr int kConnections = 4;

class PostgresHome final : public ResolutionStorageHome {
 public:
  explicit PostgresHome(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<ResolutionStorage> Open() override {
    return testing::ValueOrFail(
        OpenPostgresResolutionStorage(database_->url(), kConnections, clock_));
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

std::unique_ptr<ResolutionStorageHome> MakeHome() {
  auto database = testing::DatabaseOrSkip();
  return database == nullptr ? nullptr : std::make_unique<PostgresHome>(std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, ResolutionStorageConformance,
                         ::testing::Values(ResolutionStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
