// Checks JSON Web Tokens and tells who their bearer is. The algorithm is pinned by the key, never
// by the token. Keys are replaced while the service runs (KeyRing::Reload). Thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class KeyRing;

// Longer tokens are refused unread.
inline constexpr size_t kTokenBytesMax = 8 << 10;
// By how much the clocks of issuer and gateway may differ.
inline constexpr absl::Duration kTokenLeeway = absl::Seconds(30);

class TokenVerifier {
 public:
  // Both are borrowed.
  TokenVerifier(const KeyRing& keys, const Clock& clock) : keys_(keys), clock_(clock) {}

  // The caller that a token names: user_id, device_id (when the token is bound to one), admin,
  // spaces and token_expires are set, the rest is empty.
  //   kTokenExpired     the token was good until now: refresh it.
  //   kUnauthenticated  anything else is wrong with it; the message never repeats the token.
  absl::StatusOr<Caller> Verify(absl::string_view token) const;

 private:
  const KeyRing& keys_;
  const Clock& clock_;
};

}  // namespace bdcsync::gateway
