// Transactions of PostgreSQL that met another and were taken back whole: a deadlock, which its
// server ends by choosing one. They may be run again. Thread-safe: functions only.
#pragma once

#include "absl/status/status.h"

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

}  // namespace bdcsync::conflict
