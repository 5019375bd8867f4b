// Feeds the translation of binary messages anything: whatever comes, the outcome is JSON that the
// message parser takes or a coded error.
#include <cstdint>
#include <cstdlib>

#include "libs/base/errors.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/protocol/proto_message.h"
#include "services/gateway/protocol/server_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bdcsync;           // NOLINT: one function.
  using namespace bdcsync::gateway;  // NOLINT: one function.
  const auto json = JsonOfClientMessage({reinterpret_cast<const char*>(data), size});
  if (!json.ok()) {
    if (ReasonOf(json.status()) != Reason::kBadMessage) std::abort();
    return 0;
  }
  const ClientMessage message = ParseClientMessage(*json, MessageLimits());
  if (!message.request.ok()) {
    const std::string answer = FailureMessage(message.type, message.id, message.request.status());
    if (!ServerMessageOfJson(answer).ok()) std::abort();
  }
  return 0;
}
