// What the pool, which is libpqxx's, and the pipeline, which is libpq's, have in common: how to
// connect, and what an error of the server means. Functions only.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/sql/postgres.h"

namespace bdcsync::sql {

// The options' URL or keyword string with the settings that every connection has.
std::string ConnectionString(const PostgresOptions& options);

// Whether the server refused because it allows reading only: which server writes, and whether this
// one may, is found out when a connection is made.
bool IsReadOnlyState(absl::string_view sqlstate);

// The status of a statement that failed with `sqlstate` (PostgreSQL's appendix A), as postgres.h
// says.
absl::Status StatusOfState(absl::string_view sqlstate, absl::string_view message);

// Where a message goes on, it repeats the statement and where it was; that is for developers.
absl::string_view FirstLine(absl::string_view text);

}  // namespace bdcsync::sql
