#include "services/gateway/websocket/control_frame.h"

#include <memory>

namespace bdcsync::gateway {
namespace {

constexpr char kFinalCloseFrame = '\x88';
constexpr char kFinalPingFrame = '\x89';

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

SharedFrame MakeCloseFrame(uint16_t code, absl::string_view reason) {
  if (reason.size() > kCloseReasonBytesMax) {
    size_t end = kCloseReasonBytesMax;
    while (end > 0 && ContinuesCharacter(reason[end])) --end;
    reason = reason.substr(0, end);
  }
  auto frame = std::make_shared<std::string>();
  frame->push_back(kFinalCloseFrame);
  frame->push_back(static_cast<char>(sizeof(code) + reason.size()));
  frame->push_back(static_cast<char>(code >> 8));
  frame->push_back(static_cast<char>(code & 0xff));
  frame->append(reason.data(), reason.size());
  return frame;
}

SharedFrame MakePingFrame() {
  return std::make_shared<std::string>(std::string{kFinalPingFrame, '\0'});
}

}  // namespace bdcsync::gateway
