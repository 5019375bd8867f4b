// The schema files of migrations/, embedded at build time. Constants only.
#pragma once

#include "absl/types/span.h"
#include "libs/sql/migrations.h"

namespace bdcsync::conflict {

absl::Span<const sql::Migration> SqliteMigrations();
absl::Span<const sql::Migration> PostgresMigrations();

}  // namespace bdcsync::conflict
