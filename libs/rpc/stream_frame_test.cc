#include "libs/rpc/stream_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "bdcsync/event_store/v1/event_store.pb.h"
#include "libs/base/clock.h"

namespace bdcsync::rpc {
namespace {

using event_store::v1::ReadHeadsRequest;

grpc::ByteBuffer BufferOf(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

ReadHeadsRequest RequestFor(const std::string& name) {
  ReadHeadsRequest request;
  request.add_streams()->set_name(name);
  return request;
}

TEST(StreamFrame, ACallArrivesWithItsTrace) {
  const absl::Duration not_after = SystemClock().Monotonic() + absl::Seconds(20);
  for (const std::string& id : {std::string(), std::string("r-17"), std::string(128, 'x')}) {
    const auto call = DecodeCall(EncodeCall({id, not_after}, RequestFor("a")));
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(call->trace.request_id, id);
    EXPECT_GT(call->trace.not_after, not_after - absl::Milliseconds(1));
    ReadHeadsRequest request;
    ASSERT_TRUE(ParseRequest(*call, request));
    EXPECT_EQ(request.streams(0).name(), "a");
  }
}

TEST(StreamFrame, ARequestIdIsCutAndATimeThatIsOverIsZero) {
  const absl::Duration now = SystemClock().Monotonic();
  const CallTrace trace{std::string(kRequestIdBytesMax + 1, 'x'), now - absl::Seconds(1)};
  const auto call = DecodeCall(EncodeCall(trace, RequestFor("a")));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->trace.request_id.size(), kRequestIdBytesMax);
  EXPECT_LE(call->trace.not_after, SystemClock().Monotonic());
}

TEST(StreamFrame, WhatIsTooShortIsNoCall) {
  EXPECT_FALSE(DecodeCall(BufferOf("")).has_value());
  EXPECT_FALSE(DecodeCall(BufferOf(std::string(8, '\0'))).has_value());
  EXPECT_TRUE(DecodeCall(BufferOf(std::string(9, '\0'))).has_value());
  EXPECT_FALSE(DecodeCall(BufferOf(std::string(8, '\0') + "\x02y")).has_value());
  EXPECT_TRUE(DecodeCall(BufferOf(std::string(8, '\xff') + "\x01y")).has_value());
}

TEST(StreamFrame, AnAnswerArrivesAndAnythingElseIsNone) {
  ReadHeadsRequest answer;
  ASSERT_TRUE(ParseAnswer(EncodeAnswer(RequestFor("b")), answer));
  EXPECT_EQ(answer.streams(0).name(), "b");
  EXPECT_TRUE(ParseAnswer(EncodeAnswer(ReadHeadsRequest()), answer));
  EXPECT_FALSE(ParseAnswer(BufferOf("\xff\xff"), answer));
}

}  // namespace
}  // namespace bdcsync::rpc
