#include "services/device-sync/storage/sqlite_device_storage.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/device-sync/conformance/device_storage_conformance.h"

namespace bdcsync::device_sync {
namespace {

std::unique_ptr<DeviceStorage> OpenAt(absl::string_view path) {
  return testing::ValueOrFail(OpenSqliteDeviceStorage(path));
}

class SqliteFile final : public DeviceStorageHome {
 public:
  std::unique_ptr<DeviceStorage> Open() override { return OpenAt(folder_.File("devices.db")); }

 private:
  testing::TempDir folder_;
};

class SqliteMemory final : public DeviceStorageHome {
 public:
  std::unique_ptr<DeviceStorage> Open() override { return OpenAt(sql::kSqliteMemory); }
  bool durable() const override { return false; }
};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, DeviceStorageConformance,
    ::testing::Values(DeviceStorageKind{"file", [] { return std::make_unique<SqliteFile>(); }},
                      DeviceStorageKind{"memory", [] { return std::make_unique<SqliteMemory>(); }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::device_sync
