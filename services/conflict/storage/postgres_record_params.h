// Parameters of the statements that write records and conflicts in batches: rows in order of key,
// each key once, so that batches wait for each other and never deadlock. Thread-safe: functions.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/sql/postgres.h"

namespace bdcsync::conflict::postgres {

// Runs kPut; the last record of an operation counts.
absl::Status PutRecords(sql::PostgresSession& session,
                        absl::Span<const v1::Resolution> resolutions);
// The records of closings, as the log tells of them. In order of key.
absl::Status PutClosings(sql::PostgresSession& session, absl::Span<const v1::Resolution> closings);
// The parameters of kPut, and how many rows they are.
struct PutBatch {
  sql::PostgresParams params;
  int rows = 0;
};
PutBatch PutBatchOf(absl::Span<const v1::Resolution> resolutions);

// The parameters of kOpenConflicts and kHoldConflicts; the last of a conflict counts.
// `verified_ms` 0: when it was opened.
sql::PostgresParams ConflictParams(absl::Span<const v1::Conflict> conflicts, int64_t verified_ms);

}  // namespace bdcsync::conflict::postgres
