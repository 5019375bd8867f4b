#include "libs/rpc/stream_frame.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"

namespace bdcsync::rpc {
namespace {

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kCallHeadBytes = kTimeBytes + 1;
constexpr std::size_t kMessageLengthBytes = 4;
constexpr std::size_t kErrorHeadBytes = 1 + kMessageLengthBytes;
constexpr int kBitsOfByte = 8;
static_assert(kRequestIdBytesMax <= UINT8_MAX);

uint8_t* PutNumber(uint64_t number, std::size_t bytes, uint8_t* at) {
  for (std::size_t i = 0; i < bytes; ++i) *at++ = static_cast<uint8_t>(number >> (i * kBitsOfByte));
  return at;
}

uint8_t* PutText(absl::string_view text, uint8_t* at) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

uint64_t NumberAt(absl::string_view bytes) {
  uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (i * kBitsOfByte);
  }
  return number;
}

}  // namespace

Frame EncodeOpen(absl::string_view method) {
  Frame frame(FrameKind::kOpen, method.size());
  PutText(method, frame.payload());
  return frame;
}

Frame EncodeCall(const CallTrace& trace, const google::protobuf::MessageLite& request) {
  const absl::Duration left = trace.not_after - SystemClock().Monotonic();
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(left), 0));
  const auto id = absl::string_view(trace.request_id).substr(0, kRequestIdBytesMax);
  Frame frame(FrameKind::kCall, kCallHeadBytes + id.size() + request.ByteSizeLong());
  uint8_t* at = PutNumber(micros, kTimeBytes, frame.payload());
  *at++ = static_cast<uint8_t>(id.size());
  request.SerializeWithCachedSizesToArray(PutText(id, at));
  return frame;
}

std::optional<CallFrame> DecodeCall(absl::string_view payload) {
  if (payload.size() < kCallHeadBytes) return std::nullopt;
  const uint64_t micros = NumberAt(payload.substr(0, kTimeBytes));
  const std::size_t id_bytes = static_cast<uint8_t>(payload[kTimeBytes]);
  payload.remove_prefix(kCallHeadBytes);
  if (payload.size() < id_bytes) return std::nullopt;
  const auto left = static_cast<int64_t>(std::min<uint64_t>(micros, INT64_MAX));
  return CallFrame{{std::string(payload.substr(0, id_bytes)),
                    SystemClock().Monotonic() + absl::Microseconds(left)},
                   payload.substr(id_bytes)};
}

Frame EncodeAnswer(const google::protobuf::MessageLite& response) {
  Frame frame(FrameKind::kAnswer, response.ByteSizeLong());
  response.SerializeWithCachedSizesToArray(frame.payload());
  return frame;
}

Frame EncodeError(const absl::Status& status) {
  const grpc::Status error = ToGrpc(status);
  const std::string message = error.error_message();
  const std::string details = error.error_details();
  Frame frame(FrameKind::kError, kErrorHeadBytes + message.size() + details.size());
  uint8_t* at = frame.payload();
  *at++ = static_cast<uint8_t>(error.error_code());
  PutText(details, PutText(message, PutNumber(message.size(), kMessageLengthBytes, at)));
  return frame;
}

absl::Status DecodeError(absl::string_view payload) {
  const absl::Status unreadable = MakeError(Reason::kInternal, "the answer cannot be read");
  if (payload.size() < kErrorHeadBytes) return unreadable;
  const auto code = static_cast<grpc::StatusCode>(static_cast<uint8_t>(payload[0]));
  const std::size_t message_bytes = NumberAt(payload.substr(1, kMessageLengthBytes));
  payload.remove_prefix(kErrorHeadBytes);
  if (code == grpc::StatusCode::OK || payload.size() < message_bytes) return unreadable;
  return FromGrpc(grpc::Status(code, std::string(payload.substr(0, message_bytes)),
                               std::string(payload.substr(message_bytes))));
}

Frame EncodeGoodbye() { return {FrameKind::kGoodbye, 0}; }

Frame EncodeAlive() { return {FrameKind::kAlive, 0}; }

bool ParseMessage(absl::string_view bytes, google::protobuf::MessageLite& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace bdcsync::rpc
