// Numbered schema files, embedded at build time and applied in order at start under a lock, each
// once. Files are append-only: 0001_name.sql, 0002_name.sql … without holes. A database that has a
// newer schema than this program knows is refused (FAILED_PRECONDITION): upgrade the program.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bdcsync::sql {

class PostgresPool;
class SqliteDatabase;

// In CMake, bdc_embed_migrations() (EmbedMigrations.cmake beside this file) generates the
// function that returns a folder's files; declare it in a header of your own:
//   include(${CMAKE_SOURCE_DIR}/libs/sql/EmbedMigrations.cmake)
//   bdc_embed_migrations(migration_sources bdcsync::conflict PostgresMigrations
//                        ${CMAKE_CURRENT_SOURCE_DIR}/migrations/postgres)
//   → absl::Span<const sql::Migration> bdcsync::conflict::PostgresMigrations();
struct Migration {
  int number;
  const char* name;
  const char* sql;
};

// Makes the pool's schema if it is missing and brings it up to date, all in one transaction under
// an advisory lock: of many replicas that start at once, one migrates and the others wait.
absl::Status ApplyMigrations(PostgresPool& pool, absl::Span<const Migration> migrations);
// The same for a SQLite file, under its write lock.
absl::Status ApplyMigrations(SqliteDatabase& database, absl::Span<const Migration> migrations);

}  // namespace bdcsync::sql
