// A batch of several logs as PostgreSQL takes it: which statement (postgres_commit_statement.h),
// its parameters, and what its answer means. Pure functions.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/sql/postgres.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

struct PostgresCommit {
  const sql::PostgresStatement& statement;
  sql::PostgresParams params;
  // Each stream and operation found the event that carries it. Never run it otherwise.
  bool complete = true;
};

PostgresCommit MakeCommit(absl::Span<const LogWrite> writes, DataCodec& codec);

// For each write whether it was applied. INTERNAL if rows are missing, which only our bug can
// cause.
absl::StatusOr<std::vector<bool>> CommitResult(absl::Span<const LogWrite> writes,
                                               const sql::PostgresResult& rows);

}  // namespace bdcsync::event_store
