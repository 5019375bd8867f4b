// What requests to the desk may say, and what they become. Pure. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/desk_storage.h"

namespace bdcsync::conflict {

// 32 hexadecimal digits in lower case.
bool IsConflictId(absl::string_view id);
bool IsClosed(v1::ConflictState state);

// kInvalidArgument at the field at fault.
absl::StatusOr<ConflictQuery> QueryOf(const v1::ListConflictsRequest& request);
// Asks for what stands after `place`.
std::string PageTokenAfter(const ConflictPlace& place);
absl::StatusOr<int> LimitOf(int32_t limit, int by_default);

// Each conflict once: a closed one counts, and the log holds what it was once said to hold.
//   kInvalidArgument  a fact that no log can hold, with its place, e.g. "facts/3/conflict".
absl::StatusOr<FactBatch> FactsOf(const v1::RecordFactsRequest& request, int64_t now_ms);

}  // namespace bdcsync::conflict
