// A complete server-to-client WebSocket text frame (header and payload, unmasked, unfragmented),
// built once and shared by every session that it goes to. Immutable, hence thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

// shared_ptr: one frame waits in the outgoing queues of many connections at once.
using SharedFrame = std::shared_ptr<const std::string>;

// The longest header of an unmasked frame.
inline constexpr size_t kFrameHeaderBytesMax = 10;

// Appends the header of a final text frame of `payload_bytes`.
void AppendTextFrameHeader(size_t payload_bytes, std::string& out);

// `payload` must be UTF-8.
SharedFrame MakeTextFrame(absl::string_view payload);
// A frame of prefix + body + suffix, for a body that is shared by frames with other beginnings.
SharedFrame MakeTextFrame(absl::string_view prefix, absl::string_view body,
                          absl::string_view suffix = {});
// What the frame carries. `frame` must come from MakeTextFrame.
absl::string_view PayloadOf(const std::string& frame);

}  // namespace bdcsync::gateway
