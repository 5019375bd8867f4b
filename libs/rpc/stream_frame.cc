#include "libs/rpc/stream_frame.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"

namespace bdcsync::rpc {
namespace {

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kHeadBytes = kTimeBytes + 1;
constexpr int kBitsOfByte = 8;
static_assert(kRequestIdBytesMax <= UINT8_MAX);

// A slice to be written before anybody else sees it.
uint8_t* BytesOf(grpc::Slice& slice) { return const_cast<uint8_t*>(slice.begin()); }

bool Dump(const grpc::ByteBuffer& frame, grpc::Slice& bytes) {
  return frame.TrySingleSlice(&bytes).ok() || frame.DumpToSingleSlice(&bytes).ok();
}

}  // namespace

std::string StreamPath(const std::string& method) { return absl::StrCat(method, "Stream"); }

grpc::ByteBuffer EncodeCall(const CallTrace& trace, const google::protobuf::MessageLite& request) {
  const absl::Duration left = trace.not_after - SystemClock().Monotonic();
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(left), 0));
  const std::size_t id_bytes = std::min(trace.request_id.size(), kRequestIdBytesMax);
  const std::size_t message_bytes = request.ByteSizeLong();
  grpc::Slice slice(kHeadBytes + id_bytes + message_bytes);
  uint8_t* at = BytesOf(slice);
  for (std::size_t i = 0; i < kTimeBytes; ++i) {
    *at++ = static_cast<uint8_t>(micros >> (i * kBitsOfByte));
  }
  *at++ = static_cast<uint8_t>(id_bytes);
  if (id_bytes > 0) std::memcpy(at, trace.request_id.data(), id_bytes);
  request.SerializeWithCachedSizesToArray(at + id_bytes);
  return {&slice, 1};
}

std::optional<CallFrame> DecodeCall(const grpc::ByteBuffer& frame) {
  CallFrame call{};
  if (!Dump(frame, call.bytes) || call.bytes.size() < kHeadBytes) return std::nullopt;
  const uint8_t* const bytes = call.bytes.begin();
  uint64_t micros = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) {
    micros |= static_cast<uint64_t>(bytes[i]) << (i * kBitsOfByte);
  }
  const std::size_t id_bytes = bytes[kTimeBytes];
  call.begin = kHeadBytes + id_bytes;
  if (call.bytes.size() < call.begin) return std::nullopt;
  call.trace.request_id.assign(reinterpret_cast<const char*>(bytes) + kHeadBytes, id_bytes);
  const auto left = static_cast<int64_t>(std::min<uint64_t>(micros, INT64_MAX));
  call.trace.not_after = SystemClock().Monotonic() + absl::Microseconds(left);
  return call;
}

bool ParseRequest(const CallFrame& frame, google::protobuf::MessageLite& request) {
  return request.ParseFromArray(frame.bytes.begin() + frame.begin,
                                static_cast<int>(frame.bytes.size() - frame.begin));
}

grpc::ByteBuffer EncodeAnswer(const google::protobuf::MessageLite& response) {
  grpc::Slice slice(response.ByteSizeLong());
  response.SerializeWithCachedSizesToArray(BytesOf(slice));
  return {&slice, 1};
}

bool ParseAnswer(const grpc::ByteBuffer& frame, google::protobuf::MessageLite& response) {
  grpc::Slice bytes;
  return Dump(frame, bytes) &&
         response.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()));
}

}  // namespace bdcsync::rpc
