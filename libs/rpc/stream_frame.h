// What travels on a stream of calls, and its path: a call is its time left (8 bytes, microseconds,
// the lowest first), the length of its request id (1 byte), that id, and the request; an answer is
// the response. Includes grpcpp: for .cc files of libs/rpc and client.h. Thread-safe: functions
// only.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <optional>
#include <string>

#include "libs/base/call_trace.h"

namespace bdcsync::rpc {

// The path of the streams of "/package.Service/Method".
std::string StreamPath(const std::string& method);

// A call as it arrived.
struct CallFrame {
  CallTrace trace;
  grpc::Slice bytes;  // The whole frame.
  std::size_t begin;  // Of the request in it.
};

grpc::ByteBuffer EncodeCall(const CallTrace& trace, const google::protobuf::MessageLite& request);
// Nothing when `frame` is not a call.
std::optional<CallFrame> DecodeCall(const grpc::ByteBuffer& frame);
// Whether it is a `Request`.
bool ParseRequest(const CallFrame& frame, google::protobuf::MessageLite& request);

grpc::ByteBuffer EncodeAnswer(const google::protobuf::MessageLite& response);
bool ParseAnswer(const grpc::ByteBuffer& frame, google::protobuf::MessageLite& response);

}  // namespace bdcsync::rpc
