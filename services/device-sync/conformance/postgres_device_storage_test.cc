#include "services/device-sync/storage/postgres_device_storage.h"
#include "libs/base/clock.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/device-sync/conformance/device_storage_conformance.h"

namespace bdcsync::device_sync {
namespace {

constexpr int kConnections = 4;

class PostgresHome final : public DeviceStorageHome {
 public:
  explicit PostgresHome(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<DeviceStorage> Open() override {
    return testing::ValueOrFail(OpenPostgresDeviceStorage(database_->url(), kConnections, clock_));
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

std::unique_ptr<DeviceStorageHome> MakeHome() {
  auto database = testing::DatabaseOrSkip();
  return database == nullptr ? nullptr : std::make_unique<PostgresHome>(std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, DeviceStorageConformance,
                         ::testing::Values(DeviceStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::device_sync
