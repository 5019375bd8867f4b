// A commit as the journal keeps it, between the moment it is acknowledged and the moment it is safe
// in SQLite's files. Pure. Its bytes are read by later versions: what changes gets a new format
// number, and the old one stays readable.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

// The writes for which `applied` is true.
std::string EncodeCommit(absl::Span<const LogWrite> writes, const std::vector<bool>& applied);
// The writes of a record; they borrow from it. DATA_LOSS: it is none, or of a newer version.
absl::StatusOr<std::vector<LogWrite>> DecodeCommit(absl::string_view record);

}  // namespace bdcsync::event_store
