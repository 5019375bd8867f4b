#include "services/conflict/storage/open.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_url.h"
#include "services/conflict/storage/postgres_analysis_storage.h"
#include "services/conflict/storage/postgres_desk_storage.h"
#include "services/conflict/storage/postgres_resolution_storage.h"
#include "services/conflict/storage/postgres_rule_set_storage.h"
#include "services/conflict/storage/sqlite_analysis_storage.h"
#include "services/conflict/storage/sqlite_desk_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"
#include "services/conflict/storage/sqlite_rule_set_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSqliteFile[] = "conflict.db";

enum class Kind { kSqlite, kPostgres };

absl::StatusOr<Kind> KindOf(const ResolutionStorageOptions& options) {
  if (options.url == "sqlite:") return Kind::kSqlite;
  if (absl::StartsWith(options.url, "postgresql://") ||
      absl::StartsWith(options.url, "postgres://")) {
    RETURN_IF_ERROR(sql::CheckPostgresUrl(options.url, "storage.url"));
    return Kind::kPostgres;
  }
  return MakeErrorAt(Reason::kInvalidArgument, "storage.url",
                     "storage.url must be sqlite: or begin with postgresql://");
}

std::string SqlitePath(const ResolutionStorageOptions& options) {
  return absl::StrCat(options.data_dir, "/", kSqliteFile);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenResolutionStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const Kind kind, KindOf(options));
  if (kind == Kind::kSqlite) return OpenSqliteResolutionStorage(SqlitePath(options));
  return OpenPostgresResolutionStorage(options.url, options.postgres_connections_max, clock);
}

absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenRuleSetStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const Kind kind, KindOf(options));
  if (kind == Kind::kSqlite) return OpenSqliteRuleSetStorage(SqlitePath(options));
  return OpenPostgresRuleSetStorage(options.url, clock);
}

absl::StatusOr<std::unique_ptr<DeskStorage>> OpenDeskStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const Kind kind, KindOf(options));
  if (kind == Kind::kSqlite) return OpenSqliteDeskStorage(SqlitePath(options));
  return OpenPostgresDeskStorage(options.url, options.desk_postgres_connections_max, clock);
}

absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenAnalysisStorage(
    const ResolutionStorageOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const Kind kind, KindOf(options));
  if (kind == Kind::kSqlite) return OpenSqliteAnalysisStorage(SqlitePath(options));
  return OpenPostgresAnalysisStorage(options.url, clock);
}

}  // namespace bdcsync::conflict
