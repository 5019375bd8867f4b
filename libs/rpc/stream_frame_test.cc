#include "libs/rpc/stream_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bdcsync/event_store/v1/event_store.pb.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using event_store::v1::ReadHeadsRequest;

// What arrives of a frame.
absl::string_view PayloadOf(const Frame& frame) { return frame.text().substr(Frame::kHeadBytes); }

ReadHeadsRequest RequestFor(const std::string& name) {
  ReadHeadsRequest request;
  request.add_streams()->set_name(name);
  return request;
}

TEST(StreamFrame, ACallArrivesWithItsTrace) {
  const absl::Duration not_after = SystemClock().Monotonic() + absl::Seconds(20);
  for (const std::string& id : {std::string(), std::string("r-17"), std::string(128, 'x')}) {
    const Frame frame = EncodeCall({id, not_after}, RequestFor("a"));
    const auto call = DecodeCall(PayloadOf(frame));
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(call->trace.request_id, id);
    EXPECT_GT(call->trace.not_after, not_after - absl::Milliseconds(1));
    ReadHeadsRequest request;
    ASSERT_TRUE(ParseMessage(call->request, request));
    EXPECT_EQ(request.streams(0).name(), "a");
  }
}

TEST(StreamFrame, ARequestIdIsCutAndATimeThatIsOverIsZero) {
  const absl::Duration now = SystemClock().Monotonic();
  const CallTrace trace{std::string(kRequestIdBytesMax + 1, 'x'), now - absl::Seconds(1)};
  const Frame frame = EncodeCall(trace, RequestFor("a"));
  const auto call = DecodeCall(PayloadOf(frame));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->trace.request_id.size(), kRequestIdBytesMax);
  EXPECT_LE(call->trace.not_after, SystemClock().Monotonic());
}

TEST(StreamFrame, WhatIsTooShortIsNoCall) {
  EXPECT_FALSE(DecodeCall("").has_value());
  EXPECT_FALSE(DecodeCall(std::string(8, '\0')).has_value());
  EXPECT_TRUE(DecodeCall(std::string(9, '\0')).has_value());
  EXPECT_FALSE(DecodeCall(std::string(8, '\0') + "\x02y").has_value());
  EXPECT_TRUE(DecodeCall(std::string(8, '\xff') + "\x01y").has_value());
}

TEST(StreamFrame, AnAnswerArrivesAndAnythingElseIsNone) {
  const Frame frame = EncodeAnswer(RequestFor("b"));
  ReadHeadsRequest answer;
  ASSERT_TRUE(ParseMessage(PayloadOf(frame), answer));
  EXPECT_EQ(answer.streams(0).name(), "b");
  EXPECT_TRUE(ParseMessage("", answer));
  EXPECT_FALSE(ParseMessage("\xff\xff", answer));
}

TEST(StreamFrame, AnErrorArrivesWhole) {
  const Frame frame = EncodeError(MakeErrorAt(Reason::kOperationIdReused, "/op_id", "used before"));
  const absl::Status error = DecodeError(PayloadOf(frame));
  EXPECT_THAT(error, testing::HasReason(Reason::kOperationIdReused));
  EXPECT_EQ(PathOf(error), "/op_id");
  EXPECT_EQ(error.message(), "used before");
}

TEST(StreamFrame, WhatIsNoErrorIsOneOfOurs) {
  for (const std::string& payload :
       {std::string(), std::string(5, '\0'), std::string("\x05\x01\x00\x00", 4),
        std::string("\x05\x02\x00\x00\x00x", 6)}) {
    EXPECT_THAT(DecodeError(payload), testing::HasReason(Reason::kInternal));
  }
}

}  // namespace
}  // namespace bdcsync::rpc
