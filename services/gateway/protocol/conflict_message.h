// Messages about conflicts to clients: a page of them, one with its states, how a decision ended,
// and what is pushed when one is opened or closed. Pure; JSON text out.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/sync/v1/desk.pb.h"
#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::gateway {

// "open", "assigned", … as docs/protocol.md has them; what is opening is told as open.
absl::string_view NameOf(conflict::v1::ConflictState state);

std::string ConflictsMessage(absl::string_view id, const sync::v1::ListConflictsResponse& page);
// The same message with one conflict and the states that meet in it.
std::string ConflictViewMessage(absl::string_view id, const version::v1::ConflictView& view);
std::string ConflictResolvedMessage(absl::string_view id, absl::string_view conflict_id,
                                    const sync::v1::DecideResult& result);

// What follows the subscription's id and the cursor in a conflict_opened or conflict_closed:
// `,"seq":…,"open_conflicts":…, …}`. Shared by all who are told.
std::string ConflictNewsTail(int64_t seq, int64_t open_conflicts,
                             const conflict::v1::Conflict& conflict);

}  // namespace bdcsync::gateway
