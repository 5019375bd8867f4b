// The failure of a call that reached no server, as opposed to one that a server answered or that
// was lost on the way. Pure.
#pragma once

#include "absl/status/status.h"

namespace bdcsync::cli {

// The same failure, marked: no connection was there, so the call was never sent.
absl::Status NotConnected(absl::Status failure);
bool IsNotConnected(const absl::Status& status);

}  // namespace bdcsync::cli
