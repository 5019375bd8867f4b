// How a database would run a statement, as text to look for indexes and scans in. A fault fails the
// test.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"

namespace bdcsync::testing {

// A line for each step: SEARCH … USING INDEX …, SCAN …, USE TEMP B-TREE ….
std::string PlanOf(sql::SqliteDatabase& database, absl::string_view statement);

// A line for each node. `arguments`: the values of $1, $2 … as SQL, separated by commas; empty
// where there are none. The plan is the planner's for tables as they are: fill them and ANALYZE
// first.
std::string PlanOf(sql::PostgresPool& pool, const sql::PostgresStatement& statement,
                   absl::string_view arguments);

}  // namespace bdcsync::testing
