// Feeds the message parser anything: whatever comes, the answer is a request or a coded error.
#include <cstdint>
#include <cstdlib>

#include "libs/base/errors.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/protocol/operation_message.h"
#include "services/gateway/protocol/server_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bdcsync;           // NOLINT: one function.
  using namespace bdcsync::gateway;  // NOLINT: one function.
  const ClientMessage message =
      ParseClientMessage({reinterpret_cast<const char*>(data), size}, MessageLimits());
  if (!message.request.ok()) {
    if (ReasonOf(message.request.status()) == Reason::kInternal) std::abort();
    if (FailureMessage(message.type, message.id, message.request.status()).empty()) std::abort();
  } else if (const auto* sync = std::get_if<SyncRequest>(&*message.request)) {
    // What was read must read the same way when it is hashed twice.
    if (RequestHash(sync->operation) != RequestHash(sync->operation)) std::abort();
  }
  return 0;
}
