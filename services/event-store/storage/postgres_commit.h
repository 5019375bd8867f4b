// A batch of several logs as PostgreSQL takes it: which statement (postgres_commit_statement.h),
// its parameters, and what its answer means. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/sql/postgres.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

struct PostgresCommit {
  const sql::PostgresStatement& statement;
  sql::PostgresParams params;
  int64_t next_position = 0;  // The highest that it leaves in one of its logs.
  bool named = false;         // Its first two parameters are those of kNamed.
  // Each stream and operation found the event that carries it. Never run it otherwise.
  bool complete = true;
};

// With a `name`, if it is worth one: a commit of one event, which is the usual one where little is
// to do, costs the least that it can.
PostgresCommit MakeCommit(absl::Span<const LogWrite> writes, DataCodec& codec,
                          absl::string_view name = "");
// INTERNAL if it is not complete: our bug, and nothing may be written.
absl::Status CheckComplete(const PostgresCommit& commit);

// Of a named one: nothing is written unless the commit called `name` won all its logs and was the
// last of its session before this one.
void SetBehind(PostgresCommit& commit, absl::string_view name);

// For each write whether it was applied. INTERNAL if rows are missing, which only our bug can
// cause.
absl::StatusOr<std::vector<bool>> CommitResult(absl::Span<const LogWrite> writes,
                                               const sql::PostgresResult& rows);

}  // namespace bdcsync::event_store
