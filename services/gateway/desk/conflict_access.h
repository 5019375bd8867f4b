// Who may do what with a conflict. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

// Each fails with kNotFound where the caller may not see the space, else with kForbidden.
absl::Status MayReadSpace(const Caller& caller, absl::string_view space);
absl::Status MayWriteSpace(const Caller& caller, absl::string_view space);
absl::Status MayLook(const Caller& caller, const conflict::v1::Conflict& conflict);
// Decides: whoever may write the space, and of a conflict that is
// assigned the one it is assigned to. Administrators always.
absl::Status MayDecide(const Caller& caller, const conflict::v1::Conflict& conflict);
// The same for giving it to `user_id`; but who has it already may be named again by all who write
// the space, so that a request whose answer was lost can be repeated.
absl::Status MayAssign(const Caller& caller, const conflict::v1::Conflict& conflict,
                       absl::string_view user_id);
// Gives the change up: its author, while they may write the space, and administrators.
absl::Status MayCancel(const Caller& caller, const conflict::v1::Conflict& conflict);
absl::Status MustBeAdmin(const Caller& caller);

}  // namespace bdcsync::gateway
