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
// Decides, or says who is to decide: whoever may write the space, and of a conflict that is
// assigned the one it is assigned to. Administrators always.
absl::Status MayDecide(const Caller& caller, const conflict::v1::Conflict& conflict);
// Gives the change up: its author, while they may write the space, and administrators.
absl::Status MayCancel(const Caller& caller, const conflict::v1::Conflict& conflict);
absl::Status MustBeAdmin(const Caller& caller);

}  // namespace bdcsync::gateway
