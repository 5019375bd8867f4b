// The control frames that the server sends on its own account, complete and unmasked. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

// The longest reason that fits into a close frame; longer ones are cut at a character.
inline constexpr size_t kCloseReasonBytesMax = 123;

SharedFrame MakeCloseFrame(uint16_t code, absl::string_view reason);
// A ping without payload.
SharedFrame MakePingFrame();

}  // namespace bdcsync::gateway
