// A session whose client speaks protobuf: the same logic, other bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bdcsync/websocket/v1/client_message.pb.h"
#include "bdcsync/websocket/v1/server_message.pb.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/session/testing/session_fixture.h"

namespace bdcsync::gateway {
namespace {

using ::testing::SizeIs;
namespace v1 = websocket::v1;

class ProtoEdgeTest : public SessionFixture {
 protected:
  ProtoEdgeTest() : connection_(loop_) {
    connection_.wire_format = WireFormat::kProto;
    handler_ = MakeSession(services_, connection_);
  }
  ~ProtoEdgeTest() override { handler_->OnClosed(); }
  void Send(const v1::ClientMessage& message) {
    handler_->OnText(message.SerializeAsString());
    loop_.RunPosted();
  }
  v1::ServerMessage TakeOne() {
    v1::ServerMessage message;
    EXPECT_THAT(connection_.sent, SizeIs(1));
    if (connection_.sent.empty()) return message;
    EXPECT_TRUE(message.ParseFromString(connection_.sent.front()));
    EXPECT_EQ(connection_.first_bytes, std::string(1, kBinaryFrame));
    connection_.sent.clear();
    connection_.first_bytes.clear();
    return message;
  }
  void Authenticate() {
    v1::ClientMessage message;
    message.set_id("a");
    message.mutable_authenticate()->set_token(Token("ada"));
    message.mutable_authenticate()->set_device_id("d1");
    Send(message);
    const v1::ServerMessage answer = TakeOne();
    EXPECT_EQ(answer.id(), "a");
    EXPECT_TRUE(answer.success());
    EXPECT_EQ(answer.authenticated().limits().in_flight_max(), 256);
  }

  FakeConnection connection_;
  std::shared_ptr<ConnectionHandler> handler_;
};

TEST_F(ProtoEdgeTest, RequestsAreAnsweredInKind) {
  Authenticate();
  v1::ClientMessage ping;
  ping.mutable_ping();
  Send(ping);
  const v1::ServerMessage pong = TakeOne();
  EXPECT_EQ(pong.pong().server_time(), "2027-01-15T08:00:00.000Z");
  EXPECT_FALSE(pong.has_id());
}

TEST_F(ProtoEdgeTest, SharedFramesAreTranslatedOnceForAll) {
  Authenticate();
  v1::ClientMessage subscribe;
  subscribe.mutable_subscribe();
  Send(subscribe);
  EXPECT_EQ(TakeOne().subscribed().subscription_id(), "s1");
  const SharedFrame frame = MakeTextFrame(
      R"({"type":"changes","subscription_id":"s1","space":"s","events":[],"cursor":"c",)"
      R"("caught_up":true})");
  subscriptions_.entries.front().sink->SendFrame("s1", frame);
  EXPECT_EQ(TakeOne().changes().cursor(), "c");
  const auto translated = [](const SharedFrame&) -> SharedFrame { return nullptr; };
  const SharedFrame known = services_.proto_frames.Of(frame, translated);
  EXPECT_NE(known, nullptr);
}

TEST_F(ProtoEdgeTest, WhatIsNoMessageIsABadMessageAndTooManyClose) {
  Authenticate();
  handler_->OnText("\xff\xff");
  const v1::ServerMessage answer = TakeOne();
  EXPECT_FALSE(answer.success());
  EXPECT_EQ(answer.error().error().code(), "bad_message");
  for (int i = 0; i < 9; ++i) handler_->OnText("\xff\xff");
  EXPECT_EQ(connection_.close_code, kCloseBadMessage);
}

TEST_F(ProtoEdgeTest, AMessageThatTheContractDoesNotKnowIsAnUnknownType) {
  Authenticate();
  v1::ClientMessage message;
  message.set_id("9");
  Send(message);
  const v1::ServerMessage answer = TakeOne();
  EXPECT_EQ(answer.id(), "9");
  EXPECT_EQ(answer.error().error().code(), "unknown_type");
}

TEST_F(ProtoEdgeTest, RefusalsCarryTheIdOfTheirMessage) {
  Authenticate();
  v1::ClientMessage message;
  message.set_id("9");
  message.mutable_broadcast()->set_payload("{");
  Send(message);
  v1::ServerMessage answer = TakeOne();
  EXPECT_EQ(answer.id(), "9");
  EXPECT_EQ(answer.error().error().code(), "bad_message");
  message.mutable_broadcast()->set_payload(std::string(1000, '['));
  Send(message);
  answer = TakeOne();
  EXPECT_EQ(answer.id(), "9");
  EXPECT_EQ(answer.error().error().code(), "too_deep");
}

TEST_F(ProtoEdgeTest, ANumberAsIdOfAMessageInJsonComesBackAsText) {
  Authenticate();
  v1::ClientMessage message;
  message.set_json(R"({"type":"ping","id":1.50})");
  Send(message);
  EXPECT_EQ(TakeOne().id(), "1.50");
}

TEST(FrameVariants, KeepsABoundedNumberOfFrames) {
  FrameVariants variants;
  int made = 0;
  const auto make = [&made](const SharedFrame& frame) {
    ++made;
    return frame;
  };
  std::vector<SharedFrame> frames;
  for (size_t i = 0; i <= FrameVariants::kFramesMax; ++i) frames.push_back(MakeTextFrame("x"));
  for (size_t i = 0; i < FrameVariants::kFramesMax; ++i) variants.Of(frames[i], make);
  variants.Of(frames[0], make);
  EXPECT_EQ(made, static_cast<int>(FrameVariants::kFramesMax));
  variants.Of(frames.back(), make);  // The first goes.
  EXPECT_EQ(frames[0].use_count(), 1);
  const SharedFrame large = MakeTextFrame(std::string(FrameVariants::kBytesMax, 'x'));
  variants.Of(large, make);
  EXPECT_EQ(large.use_count(), 1);
}

}  // namespace
}  // namespace bdcsync::gateway
