// Whoever connects may send any token, and an operator may have any key set: raw tokens, tokens
// that are signed well whatever their header and claims are, and key sets. The input: a byte that
// says which, then the token; or header, a line break and claims; or the key set.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"
#include "services/gateway/auth/key_files.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/testing/test_keys.h"
#include "services/gateway/auth/token_verifier.h"

namespace {

using namespace bdcsync;           // NOLINT: one program.
using namespace bdcsync::gateway;  // NOLINT: one program.

constexpr char kSecret[] = "a secret of the fuzzer, long enough";

void Require(bool holds) {
  if (!holds) std::abort();
}

// Who is let in can own a space, and is let in for a time that can be reckoned with.
void CheckCaller(const Caller& caller, absl::Time now) {
  Require(entity::ValidateSpace(OwnSpace(caller)).ok());
  Require(caller.token_expires > now && caller.token_expires < absl::InfiniteFuture());
  Require(AccessTo(caller, OwnSpace(caller)) == Access::kWrite);
  Require(caller.device_id.empty() || entity::ValidateId(caller.device_id).ok());
  for (const auto& [space, access] : caller.spaces) Require(entity::ValidateSpace(space).ok());
}

void CheckVerify(const KeyRing& keys, const std::string& token) {
  const ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  const absl::StatusOr<Caller> caller = TokenVerifier(keys, clock).Verify(token);
  if (caller.ok()) return CheckCaller(*caller, clock.Now());
  const Reason reason = ReasonOf(caller.status());
  Require(reason == Reason::kUnauthenticated || reason == Reason::kTokenExpired);
}

void CheckKeySet(absl::string_view text) {
  const absl::StatusOr<KeySet::Keys> keys = KeysFromJwks(text);
  if (!keys.ok()) return;
  for (const auto& key : *keys) {
    Require(!key->kid().empty());
    Require(!key->Verifies("what nobody has signed", std::string(64, 's')));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const KeyRing& keys = *new KeyRing(kSecret, "");
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    CheckVerify(keys, text);
  } else if (data[0] % 3 == 1) {
    const size_t end = text.find('\n');
    if (end == std::string::npos) return 0;
    CheckVerify(keys, SignTokenHs256(text.substr(0, end), text.substr(end + 1), kSecret));
  } else {
    CheckKeySet(text);
  }
  return 0;
}
