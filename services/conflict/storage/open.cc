#include "services/conflict/storage/open.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_url.h"
#include "services/conflict/storage/postgres_desk_storage.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/sqlite_desk_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSqliteFile[] = "conflict.db";

std::string SqlitePath(const ResolutionStorageOptions& options) {
  return absl::StrCat(options.data_dir, "/", kSqliteFile);
}

// Whether it is PostgreSQL; SQLite otherwise.
absl::StatusOr<bool> IsPostgres(const ResolutionStorageOptions& options) {
  if (options.url == "sqlite:") return false;
  if (absl::StartsWith(options.url, "postgresql://") ||
      absl::StartsWith(options.url, "postgres://")) {
    RETURN_IF_ERROR(sql::CheckPostgresUrl(options.url, "storage.url"));
    return true;
  }
  return MakeErrorAt(Reason::kInvalidArgument, "storage.url",
                     "storage.url must be sqlite: or begin with postgresql://");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenResolutionStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const bool postgres, IsPostgres(options));
  if (!postgres) return OpenSqliteResolutionStorage(SqlitePath(options));
  return OpenPostgresResolutionStorage(options.url, options.postgres_connections_max, clock);
}

absl::StatusOr<std::unique_ptr<DeskStorage>> OpenDeskStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const bool postgres, IsPostgres(options));
  if (!postgres) return OpenSqliteDeskStorage(SqlitePath(options));
  return OpenPostgresDeskStorage(options.url, options.desk_postgres_connections_max, clock);
}

}  // namespace bdcsync::conflict
