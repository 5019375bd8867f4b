#include "libs/sql/migrations.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"

namespace bdcsync::sql {
namespace {

absl::Status CheckKnown(int64_t applied, absl::Span<const Migration> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].number != static_cast<int>(i) + 1) {
      return absl::InternalError(absl::StrCat("schema file ", migrations[i].name,
                                              " is out of order: numbers run 1, 2, 3 ..."));
    }
  }
  if (applied > static_cast<int64_t>(migrations.size())) {
    return absl::FailedPreconditionError(absl::StrCat("the database has schema ", applied,
                                                      ", this program knows up to ",
                                                      migrations.size(), ": run a newer program"));
  }
  return absl::OkStatus();
}

std::string RecordSql(const Migration& migration) {
  return absl::StrCat("INSERT INTO schema_migrations(number, name) VALUES (", migration.number,
                      ", '", migration.name, "')");
}

absl::Status Named(const absl::Status& status, const Migration& migration) {
  return absl::Status(status.code(), absl::StrCat(migration.name, ": ", status.message()));
}

}  // namespace

absl::Status ApplyMigrations(PostgresPool& pool, absl::Span<const Migration> migrations) {
  const std::string& schema = pool.options().schema;
  const auto lock_key = static_cast<int64_t>(StableHash64(absl::StrCat("migrations:", schema)));
  return pool.Transaction([&](PostgresSession& session) -> absl::Status {
    RETURN_IF_ERROR(
        session.Run(absl::StrCat("SELECT pg_advisory_xact_lock(", lock_key, ")")).status());
    RETURN_IF_ERROR(session
                        .Run(absl::StrCat("CREATE SCHEMA IF NOT EXISTS ", schema,
                                          "; CREATE TABLE IF NOT EXISTS schema_migrations (",
                                          "number int PRIMARY KEY, name text NOT NULL, ",
                                          "applied_at timestamptz NOT NULL DEFAULT now())"))
                        .status());
    ASSIGN_OR_RETURN(const PostgresResult last,
                     session.Run("SELECT coalesce(max(number), 0) FROM schema_migrations"));
    const int64_t applied = last.Int64(0, 0);
    RETURN_IF_ERROR(CheckKnown(applied, migrations));
    for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(applied))) {
      const absl::Status status = session.Run(migration.sql).status();
      if (!status.ok()) return Named(status, migration);
      RETURN_IF_ERROR(session.Run(RecordSql(migration)).status());
    }
    return absl::OkStatus();
  });
}

absl::Status ApplyMigrations(SqliteDatabase& database, absl::Span<const Migration> migrations) {
  return database.Transaction([&]() -> absl::Status {
    RETURN_IF_ERROR(
        database.Run("CREATE TABLE IF NOT EXISTS schema_migrations ("
                     "number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                     "applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"));
    int64_t applied = 0;
    {
      ASSIGN_OR_RETURN(SqliteStatement last,
                       database.Prepare("SELECT coalesce(max(number), 0) FROM schema_migrations"));
      RETURN_IF_ERROR(last.Step().status());
      applied = last.Int64(0);
    }
    RETURN_IF_ERROR(CheckKnown(applied, migrations));
    for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(applied))) {
      const absl::Status status = database.Run(migration.sql);
      if (!status.ok()) return Named(status, migration);
      RETURN_IF_ERROR(database.Run(RecordSql(migration)));
    }
    return absl::OkStatus();
  });
}

}  // namespace bdcsync::sql
