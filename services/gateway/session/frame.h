// A complete server-to-client WebSocket frame (header and payload, unmasked, unfragmented), built
// once and shared by every session that it goes to. Immutable, hence thread-safe.
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

// The first byte of a final text or binary frame; kCompressedBit says that the payload is deflated
// (RFC 7692).
inline constexpr char kTextFrame = '\x81';
inline constexpr char kBinaryFrame = '\x82';
inline constexpr char kCompressedBit = '\x40';

// Appends the header of a frame of `payload_bytes` that begins with `first_byte`.
void AppendFrameHeader(char first_byte, size_t payload_bytes, std::string& out);

// `payload` must be UTF-8.
SharedFrame MakeTextFrame(absl::string_view payload);
// A frame of prefix + body + suffix, for a body that is shared by frames with other beginnings.
SharedFrame MakeTextFrame(absl::string_view prefix, absl::string_view body,
                          absl::string_view suffix = {});
SharedFrame MakeBinaryFrame(absl::string_view payload);
// What the frame carries. `frame` must be a whole frame.
absl::string_view PayloadOf(const std::string& frame);

}  // namespace bdcsync::gateway
