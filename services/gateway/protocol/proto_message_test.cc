#include "services/gateway/protocol/proto_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bdcsync/websocket/v1/client_message.pb.h"
#include "bdcsync/websocket/v1/server_message.pb.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/protocol/live_message.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;
namespace v1 = websocket::v1;

json::Value Parsed(absl::string_view text) { return json::Parse(text).value(); }

v1::ServerMessage ToProto(const std::string& json) {
  v1::ServerMessage message;
  const auto bytes = ServerMessageOfJson(json);
  EXPECT_OK(bytes);
  EXPECT_TRUE(message.ParseFromString(bytes.value_or("")));
  return message;
}

TEST(ProtoMessage, AClientMessageReadsAsItsJson) {
  v1::ClientMessage message;
  message.set_id("7");
  v1::SyncRequest& request = *message.mutable_sync_request();
  request.set_entity_type("note");
  request.set_entity_id("\"n\"");
  request.set_operation("patch");
  request.set_patch(R"({"a": 1.10})");
  ASSERT_OK_AND_ASSIGN(const std::string json, JsonOfClientMessage(message.SerializeAsString()));
  EXPECT_EQ(Parsed(json), Parsed(R"({"type":"sync_request","id":"7","entity_type":"note",
      "entity_id":"\"n\"","operation":"patch","patch":{"a":1.10}})"));
  const ClientMessage read = ParseClientMessage(json);
  ASSERT_OK(read.request);
  EXPECT_EQ(std::get<SyncRequest>(*read.request).operation.patch(), R"({"a":1.10})");
}

TEST(ProtoMessage, EveryTypeOfClientMessageIsKnownToTheParser) {
  const auto* oneof = v1::ClientMessage::descriptor()->FindOneofByName("message");
  for (int i = 0; i < oneof->field_count(); ++i) {
    const auto* field = oneof->field(i);
    if (field->name() == "json") continue;
    v1::ClientMessage message;
    message.GetReflection()->MutableMessage(&message, field);
    ASSERT_OK_AND_ASSIGN(const std::string json, JsonOfClientMessage(message.SerializeAsString()));
    EXPECT_NE(ParseClientMessage(json).type, MessageType::kUnknown) << field->name();
  }
}

TEST(ProtoMessage, NestedAndRepeatedFieldsAreCarried) {
  v1::ClientMessage message;
  v1::SyncBatch& batch = *message.mutable_sync_batch();
  batch.set_atomic(true);
  batch.add_operations()->set_entity_id("a");
  batch.add_operations()->set_entity_id("b");
  ASSERT_OK_AND_ASSIGN(const std::string json, JsonOfClientMessage(message.SerializeAsString()));
  EXPECT_EQ(Parsed(json), Parsed(R"({"type":"sync_batch","operations":[{"entity_id":"a"},
      {"entity_id":"b"}],"atomic":true})"));
  message.mutable_subscribe()->mutable_filter()->add_entity_types("x");
  ASSERT_OK_AND_ASSIGN(const std::string filter, JsonOfClientMessage(message.SerializeAsString()));
  EXPECT_EQ(Parsed(filter), Parsed(R"({"type":"subscribe","filter":{"entity_types":["x"]}})"));
}

TEST(ProtoMessage, WhatIsNoMessageOrNoJsonIsABadMessage) {
  EXPECT_THAT(JsonOfClientMessage("\xff\xff"), HasReason(Reason::kBadMessage));
  v1::ClientMessage message;
  message.set_id("x");
  // The first is not a way to write other fields of the JSON.
  for (const char* text : {R"(1,"topic":"x")", "1}", "\"\xff\"", "{"}) {
    message.mutable_broadcast()->set_payload(text);
    ASSERT_OK_AND_ASSIGN(const std::string json, JsonOfClientMessage(message.SerializeAsString()));
    const ClientMessage read = ParseClientMessage(json);
    EXPECT_EQ(read.id, "\"x\"") << text;
    EXPECT_THAT(read.request, HasReason(Reason::kBadMessage)) << text;
  }
}

TEST(ProtoMessage, WhatIsNestedTooDeepIsThatWhateverFollows) {
  v1::ClientMessage message;
  message.set_id("x");
  for (const size_t depth : {json::ParseLimits().depth_max, json::kDepthCeiling + 1}) {
    for (const char* end : {"", "}", R"(,"topic":"x")"}) {
      message.mutable_broadcast()->set_payload(std::string(depth, '[') + std::string(depth, ']') +
                                               end);
      ASSERT_OK_AND_ASSIGN(const std::string json,
                           JsonOfClientMessage(message.SerializeAsString()));
      const ClientMessage read = ParseClientMessage(json);
      EXPECT_EQ(read.id, "\"x\"");
      EXPECT_FALSE(read.request.ok());
      if (*end == '\0') {
        EXPECT_THAT(read.request, HasReason(Reason::kTooDeep)) << depth;
      }
    }
  }
}

TEST(ProtoMessage, WhatTheContractDoesNotKnowHasNoType) {
  v1::ClientMessage message;
  message.set_id("x");
  ASSERT_OK_AND_ASSIGN(const std::string json, JsonOfClientMessage(message.SerializeAsString()));
  EXPECT_THAT(ParseClientMessage(json).request, HasReason(Reason::kUnknownType));
  message.set_json(R"({"type":"later"})");
  ASSERT_OK_AND_ASSIGN(const std::string text, JsonOfClientMessage(message.SerializeAsString()));
  EXPECT_EQ(text, R"({"type":"later"})");
  const v1::ServerMessage told = ToProto(R"({"type":"later","x":1})");
  EXPECT_EQ(told.json(), R"({"type":"later","x":1})");
}

TEST(ProtoMessage, AnAnswerIsCarriedWithItsEnvelope) {
  sync::v1::OperationResult result;
  result.set_op_id("o");
  result.set_outcome(common::v1::OUTCOME_MERGED);
  result.mutable_entity()->set_space("s");
  result.set_version_id("2-ab");
  result.set_revision(2);
  result.set_data(R"({"big":9007199254740993})");
  const v1::ServerMessage message = ToProto(SyncResponseMessage("\"7\"", result));
  EXPECT_EQ(message.id(), "7");
  EXPECT_TRUE(message.success());
  EXPECT_EQ(message.sync_response().status(), "merged");
  EXPECT_EQ(message.sync_response().revision(), 2);
  EXPECT_EQ(message.sync_response().data(), R"({"big":9007199254740993})");
  EXPECT_FALSE(message.sync_response().has_success());
  const v1::ServerMessage batch = ToProto(SyncBatchResponseMessage("", false, {result, result}));
  EXPECT_FALSE(batch.has_id());
  ASSERT_EQ(batch.sync_batch_response().results_size(), 2);
  EXPECT_TRUE(batch.sync_batch_response().results(1).success());
}

TEST(ProtoMessage, FailuresAndPushesAreCarried) {
  const v1::ServerMessage failed = ToProto(
      FailureMessage(MessageType::kGet, "\"g\"", MakeErrorAt(Reason::kNotFound, "/x", "none")));
  EXPECT_TRUE(failed.has_success() && !failed.success());
  EXPECT_EQ(failed.error().error().code(), "not_found");
  EXPECT_EQ(failed.error().error().path(), "/x");
  EXPECT_FALSE(failed.error().error().retryable());
  EXPECT_FALSE(failed.error().error().has_retry_after_ms());
  const v1::ServerMessage presence = ToProto(PresenceMessage("s", "u", "d", "null"));
  EXPECT_EQ(presence.presence().state(), "null");
  EXPECT_FALSE(presence.has_success());
  EXPECT_EQ(ToProto(RevokedMessage("team")).revoked().space(), "team");
  EXPECT_EQ(
      ToProto(GoodbyeMessage(1012, true, absl::Seconds(1), absl::Seconds(2))).goodbye().code(),
      1012);
}

TEST(ProtoMessage, ChangesAreCarried) {
  const v1::ServerMessage message = ToProto(
      R"({"type":"changes","subscription_id":"s1","space":"s","events":[{"seq":1,"kind":"enter",
      "version_id":"1-a","revision":1,"entity_type":"t","entity_id":"i","branch":"main",
      "operation":"create","data":[1.10],"op_id":"o","user_id":"u","device_id":"d",
      "time":"2026-11-23T10:00:00.000Z","category":""}],"cursor":"c","caught_up":true})");
  ASSERT_EQ(message.changes().events_size(), 1);
  EXPECT_EQ(message.changes().events(0).data(), "[1.10]");
  EXPECT_EQ(message.changes().events(0).seq(), 1);
  EXPECT_TRUE(message.changes().caught_up());
}

TEST(ProtoMessage, WhatIsNoMessageOfOursIsOurBug) {
  EXPECT_THAT(ServerMessageOfJson("[]"), HasReason(Reason::kInternal));
  EXPECT_THAT(ServerMessageOfJson(R"({"type":"pong","server_time":7})"),
              HasReason(Reason::kInternal));
}

}  // namespace
}  // namespace bdcsync::gateway
