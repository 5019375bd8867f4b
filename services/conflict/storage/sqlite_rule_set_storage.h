// Rule sets in the SQLite file of the service (or in memory): the embedded store. One connection,
// used by one caller at a time. Durable when a call returns. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/rule_set_storage.h"

namespace bdcsync::conflict {

// Opens or creates the store in the file `path`, or in memory for sql::kSqliteMemory.
absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenSqliteRuleSetStorage(absl::string_view path);

}  // namespace bdcsync::conflict
