// The messages that tell sessions what others in a space do now. Pure; JSON text out.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

// {type: "presence", space, user_id, device_id, state}; `state` is JSON text.
std::string PresenceMessage(absl::string_view space, absl::string_view user_id,
                            absl::string_view device_id, absl::string_view state);
// {type: "broadcast", space, topic, payload, user_id, device_id}; `payload` is JSON text.
std::string BroadcastMessage(absl::string_view space, absl::string_view topic,
                             absl::string_view payload, absl::string_view user_id,
                             absl::string_view device_id);

}  // namespace bdcsync::gateway
