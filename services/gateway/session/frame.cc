#include "services/gateway/session/frame.h"

#include <cstdint>

namespace bdcsync::gateway {
namespace {

constexpr size_t kShortPayloadMax = 125;
constexpr size_t kMediumPayloadMax = 65535;
constexpr unsigned char kMediumMark = 126;
constexpr unsigned char kLongMark = 127;

}  // namespace

void AppendFrameHeader(char first_byte, size_t payload_bytes, std::string& out) {
  out.push_back(first_byte);
  int length_bytes = 0;
  if (payload_bytes <= kShortPayloadMax) {
    out.push_back(static_cast<char>(payload_bytes));
  } else if (payload_bytes <= kMediumPayloadMax) {
    out.push_back(static_cast<char>(kMediumMark));
    length_bytes = 2;
  } else {
    out.push_back(static_cast<char>(kLongMark));
    length_bytes = 8;
  }
  for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(payload_bytes) >> shift & 0xff));
  }
}

SharedFrame MakeTextFrame(absl::string_view payload) { return MakeTextFrame(payload, {}); }

SharedFrame MakeTextFrame(absl::string_view prefix, absl::string_view body,
                          absl::string_view suffix) {
  const size_t payload_bytes = prefix.size() + body.size() + suffix.size();
  auto frame = std::make_shared<std::string>();
  frame->reserve(kFrameHeaderBytesMax + payload_bytes);
  AppendFrameHeader(kTextFrame, payload_bytes, *frame);
  frame->append(prefix.data(), prefix.size());
  frame->append(body.data(), body.size());
  frame->append(suffix.data(), suffix.size());
  return frame;
}

SharedFrame MakeBinaryFrame(absl::string_view payload) {
  auto frame = std::make_shared<std::string>();
  frame->reserve(kFrameHeaderBytesMax + payload.size());
  AppendFrameHeader(kBinaryFrame, payload.size(), *frame);
  frame->append(payload.data(), payload.size());
  return frame;
}

absl::string_view PayloadOf(const std::string& frame) {
  const auto mark = static_cast<unsigned char>(frame[1]);
  const size_t header = mark == kLongMark ? 10 : mark == kMediumMark ? 4 : 2;
  return absl::string_view(frame).substr(header);
}

}  // namespace bdcsync::gateway
