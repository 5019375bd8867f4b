// What is in the frames of a stream of calls: Open is the name of the method; a call is its time
// left (8 bytes, microseconds, the lowest first), the length of its request id (1 byte), that id,
// and the request; an answer is the response; an error is its code (1 byte), the length of its
// message (4 bytes), that message, and its details (status.h); Goodbye is empty. Open may be
// repeated at any time, and each repetition is answered with Alive, which is empty, by the loop,
// whatever the call does; an older service passes over it. Includes grpcpp: for .cc files of
// libs/rpc and streamed_method.h. Thread-safe: functions only.
#pragma once

#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/framed_socket.h"

namespace bdcsync::rpc {

// A call as it arrived.
struct CallFrame {
  CallTrace trace;
  absl::string_view request;  // There as long as the frame.
};

Frame EncodeOpen(absl::string_view method);

Frame EncodeCall(const CallTrace& trace, const google::protobuf::MessageLite& request);
// Nothing when `payload` is not a call.
std::optional<CallFrame> DecodeCall(absl::string_view payload);

Frame EncodeAnswer(const google::protobuf::MessageLite& response);

// `status` is not OK.
Frame EncodeError(const absl::Status& status);
// Never OK: INTERNAL when `payload` is not an error.
absl::Status DecodeError(absl::string_view payload);

Frame EncodeGoodbye();

Frame EncodeAlive();

// Whether `bytes` is a message of this type.
bool ParseMessage(absl::string_view bytes, google::protobuf::MessageLite& message);

}  // namespace bdcsync::rpc
