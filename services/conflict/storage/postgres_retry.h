// Statements and transactions of PostgreSQL that came to nothing and may be run again: a deadlock,
// which its server ends by choosing one, and a read on a connection that had been cut while nobody
// used it. Thread-safe: functions only.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/sql/postgres.h"

namespace bdcsync::conflict {

inline constexpr int kTransactionTriesMax = 5;

// Runs `transaction` until it is not ABORTED, a bounded number of times. For those that refuse
// nothing by ABORTED themselves.
template <typename Transaction>
absl::Status RunAgainWhenAborted(Transaction transaction) {
  absl::Status status = transaction();
  for (int tries = 1; absl::IsAborted(status) && tries < kTransactionTriesMax; ++tries) {
    status = transaction();
  }
  return status;
}

// Runs a statement that changes nothing; once more when it got no answer, since the pool has
// dropped its connections then. A server that is away refuses the second try at once.
inline absl::StatusOr<sql::PostgresResult> ExecuteRead(sql::PostgresPool& pool,
                                                       const sql::PostgresStatement& statement,
                                                       const sql::PostgresParams& params) {
  absl::StatusOr<sql::PostgresResult> rows = pool.Execute(statement, params);
  return absl::IsUnavailable(rows.status()) ? pool.Execute(statement, params) : rows;
}

}  // namespace bdcsync::conflict
