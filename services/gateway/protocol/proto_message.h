// The messages of the subprotocol bdc-sync.v1.proto (proto/bdcsync/websocket/v1) to and from the
// JSON text that the rest of the gateway speaks. Every message and field has one name in both, so
// nothing here knows any of them. Pure; never fails on any input but by a coded error.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

// What a client sent, as the JSON that says the same. A message that the contract does not know has
// an empty `type`; one that was sent as JSON text is passed on unread. Where a field that must be
// JSON is none, the text ends before it: it is no JSON either, but the id can be found in it.
//   kBadMessage  not a ClientMessage.
absl::StatusOr<std::string> JsonOfClientMessage(absl::string_view bytes);

// A message of protocol/server_message.h, or one of changes, as a ServerMessage.
// One that the contract does not know is carried as JSON text.
//   INTERNAL  it is no message: our bug.
absl::StatusOr<std::string> ServerMessageOfJson(absl::string_view json);

}  // namespace bdcsync::gateway
