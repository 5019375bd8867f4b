// Makes HS256 tokens: the development token that `bdc-sync serve` prints, the command line's
// `bdc-sync token`, and tests. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

// A token for `caller` (user_id, device_id unless empty, admin, spaces), valid from `issued` until
// caller.token_expires, signed with `secret`.
std::string MintToken(const Caller& caller, absl::Time issued, absl::string_view secret);

}  // namespace bdcsync::gateway
