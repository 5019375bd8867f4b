// Decides about a WebSocket handshake from its headers: origin and subprotocol. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/gateway/session/connection.h"

namespace bdcsync::gateway {

// The subprotocols that are spoken; the first is assumed when none is offered.
inline constexpr absl::string_view kJsonSubprotocol = "bdc-sync.v1.json";
inline constexpr absl::string_view kProtoSubprotocol = "bdc-sync.v1.proto";

struct SubprotocolChoice {
  // False: only others were offered; close with 4406. The answer is one of them all the same: to a
  // browser that gets none of those it offered, the connection has failed, and it sees no code.
  bool supported = true;
  std::string answer;  // For the response header; empty: none.
  WireFormat format = WireFormat::kJson;
};

// Chooses the first that is spoken from the Sec-WebSocket-Protocol header; `offered` is empty when
// there was none.
SubprotocolChoice ChooseSubprotocol(absl::string_view offered);

// Whether a page of `origin` may connect. Programs send no origin and always may. An empty list
// allows any; entries are compared without regard to case, and "*.example.org" stands for every
// host below example.org, with any scheme.
bool OriginAllowed(absl::string_view origin, const std::vector<std::string>& allowed);

// A complete response that refuses the handshake and ends the connection.
std::string RefusalResponse(int status, absl::string_view phrase, absl::string_view explanation);

}  // namespace bdcsync::gateway
