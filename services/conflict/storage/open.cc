#include "services/conflict/storage/open.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_url.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSqliteFile[] = "conflict.db";

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenResolutionStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  if (options.url == "sqlite:") {
    return OpenSqliteResolutionStorage(absl::StrCat(options.data_dir, "/", kSqliteFile));
  }
  if (absl::StartsWith(options.url, "postgresql://") ||
      absl::StartsWith(options.url, "postgres://")) {
    RETURN_IF_ERROR(sql::CheckPostgresUrl(options.url, "storage.url"));
    return OpenPostgresResolutionStorage(options.url, options.postgres_connections_max, clock);
  }
  return MakeErrorAt(Reason::kInvalidArgument, "storage.url",
                     "storage.url must be sqlite: or begin with postgresql://");
}

}  // namespace bdcsync::conflict
