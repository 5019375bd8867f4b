#include "services/device-sync/storage/open.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_url.h"
#include "services/device-sync/storage/postgres_device_storage.h"
#include "services/device-sync/storage/sqlite_device_storage.h"

namespace bdcsync::device_sync {
namespace {

constexpr char kSqliteFile[] = "device-sync.db";

}  // namespace

absl::StatusOr<std::unique_ptr<DeviceStorage>> OpenDeviceStorage(
    const DeviceStorageOptions& options, const Clock& clock) {
  if (options.url == "sqlite:") {
    return OpenSqliteDeviceStorage(absl::StrCat(options.data_dir, "/", kSqliteFile));
  }
  if (absl::StartsWith(options.url, "postgresql://") ||
      absl::StartsWith(options.url, "postgres://")) {
    RETURN_IF_ERROR(sql::CheckPostgresUrl(options.url, "storage.url"));
    return OpenPostgresDeviceStorage(options.url, options.postgres_connections_max, clock);
  }
  return MakeErrorAt(Reason::kInvalidArgument, "storage.url",
                     "storage.url must be sqlite: or begin with postgresql://");
}

}  // namespace bdcsync::device_sync
