// What the server says, field by field as docs/protocol.md has it.
#include "services/gateway/protocol/server_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/protocol/json_writer.h"
#include "services/gateway/protocol/live_message.h"

namespace bdcsync::gateway {
namespace {

json::Value Parse(const std::string& text) {
  auto value = json::Parse(text);
  EXPECT_OK(value) << text;
  return value.ok() ? *std::move(value) : json::Value();
}

TEST(ServerMessageTest, AuthenticatedHasEveryFieldOfTheProtocol) {
  AuthenticatedInfo info;
  info.session_id = "s";
  info.user_id = "ada";
  info.device_id = "d\"1";
  info.epoch = "e";
  info.server_time = absl::FromUnixMillis(1);
  info.heartbeat_interval = absl::Seconds(30);
  info.token_expires = absl::FromUnixMillis(2000);
  info.message_bytes_max = 1;
  info.operations_per_s = 2;
  info.subscriptions_max = 3;
  info.in_flight_max = 4;
  EXPECT_EQ(AuthenticatedMessage("7", info),
            R"({"type":"authenticated","id":7,"success":true,"session_id":"s","user_id":"ada",)"
            R"("device_id":"d\"1","epoch":"e","server_time":"1970-01-01T00:00:00.001Z",)"
            R"("heartbeat_interval_s":30,"token_expires_at":"1970-01-01T00:00:02.000Z",)"
            R"("limits":{"message_bytes_max":1,"operations_per_s":2,"subscriptions_max":3,)"
            R"("in_flight_max":4}})");
}

TEST(ServerMessageTest, SyncResponseLeavesOutWhatThereIsNot) {
  sync::v1::OperationResult result;
  result.set_op_id("o");
  result.set_outcome(common::v1::OUTCOME_APPLIED);
  result.mutable_entity()->set_space("s");
  result.mutable_entity()->set_entity_type("t");
  result.mutable_entity()->set_entity_id("i");
  result.set_version_id("1-a");
  result.set_revision(1);
  result.set_cursor("c");
  EXPECT_EQ(SyncResponseMessage("", result),
            R"({"type":"sync_response","success":true,"op_id":"o","status":"applied","space":"s",)"
            R"("entity_type":"t","entity_id":"i","branch":"main","version_id":"1-a","revision":1,)"
            R"("cursor":"c"})");
}

TEST(ServerMessageTest, ARejectionIsNoSuccessAndSaysWhyAndWhere) {
  common::v1::Operation operation;
  operation.set_op_id("o");
  const auto message = Parse(SyncResponseMessage(
      "", RejectedResult(operation, MakeErrorAt(Reason::kInvalidArgument, "/data", "no"))));
  EXPECT_FALSE(message.Find("success")->boolean());
  EXPECT_EQ(message.Find("status")->string(), "rejected");
  const json::Value& error = *message.Find("error");
  EXPECT_EQ(error.Find("code")->string(), "invalid_argument");
  EXPECT_EQ(error.Find("path")->string(), "/data");
  EXPECT_FALSE(error.Find("retryable")->boolean());
  EXPECT_EQ(error.Find("retry_after_ms"), nullptr);
}

TEST(ServerMessageTest, APathIsAlwaysAPointer) {
  const auto message = Parse(FailureMessage(
      MessageType::kGet, "", MakeErrorAt(Reason::kInvalidArgument, "cursor", "no cursor")));
  EXPECT_EQ(message.Find("error")->Find("path")->string(), "/cursor");
}

TEST(ServerMessageTest, EveryOutcomeHasItsStatusAndSuccess) {
  const std::pair<common::v1::Outcome, const char*> outcomes[] = {
      {common::v1::OUTCOME_APPLIED, "applied"},     {common::v1::OUTCOME_MERGED, "merged"},
      {common::v1::OUTCOME_DUPLICATE, "duplicate"}, {common::v1::OUTCOME_CONFLICT, "conflict"},
      {common::v1::OUTCOME_QUEUED, "queued"},       {common::v1::OUTCOME_REJECTED, "rejected"}};
  for (const auto& [outcome, status] : outcomes) {
    sync::v1::OperationResult result;
    result.set_outcome(outcome);
    const json::Value message = Parse(SyncResponseMessage("1", result));
    EXPECT_EQ(message.Find("status")->string(), status);
    EXPECT_EQ(message.Find("success")->boolean(), outcome != common::v1::OUTCOME_REJECTED);
  }
}

TEST(ServerMessageTest, AMergeThatLeavesNothingSaysSo) {
  sync::v1::OperationResult result;
  result.set_outcome(common::v1::OUTCOME_MERGED);
  EXPECT_EQ(Parse(SyncResponseMessage("1", result)).Find("deleted"), nullptr);
  result.set_deleted(true);
  EXPECT_TRUE(Parse(SyncResponseMessage("1", result)).Find("deleted")->boolean());
}

TEST(ServerMessageTest, ADeletedEntityHasNoData) {
  version::v1::EntityState entity;
  entity.set_deleted(true);
  entity.set_data("{}");
  const json::Value message = Parse(EntityMessage("1", entity));
  EXPECT_TRUE(message.Find("deleted")->boolean());
  EXPECT_EQ(message.Find("data"), nullptr);
  entity.set_deleted(false);
  EXPECT_TRUE(Parse(EntityMessage("1", entity)).Find("data")->is_object());
}

TEST(ServerMessageTest, HistoryListsVersions) {
  sync::v1::GetHistoryResponse page;
  version::v1::VersionInfo& version = *page.add_versions();
  version.set_version_id("2-b");
  version.mutable_meta()->add_parents("1-a");
  version.mutable_meta()->set_operation(common::v1::OPERATION_KIND_PATCH);
  version.mutable_meta()->add_changed_paths("/a");
  page.set_next_page_token("p");
  const json::Value message = Parse(HistoryMessage("1", page));
  const json::Value& first = message.Find("versions")->array()[0];
  EXPECT_EQ(first.Find("operation")->string(), "patch");
  EXPECT_EQ(first.Find("parents")->array()[0].string(), "1-a");
  EXPECT_EQ(first.Find("changed_paths")->array()[0].string(), "/a");
  EXPECT_EQ(message.Find("next_page_token")->string(), "p");
}

TEST(ServerMessageTest, FailuresUseTheAnswersTypeWhereThereIsOne) {
  const absl::Status why =
      MakeRetryableError(Reason::kRateLimited, absl::Milliseconds(250), "slower");
  const auto type = [&](MessageType of) {
    return std::string(Parse(FailureMessage(of, "1", why)).Find("type")->string());
  };
  EXPECT_EQ(type(MessageType::kAuthenticate), "authenticated");
  EXPECT_EQ(type(MessageType::kSyncBatch), "sync_batch_response");
  EXPECT_EQ(type(MessageType::kGet), "error");
  EXPECT_EQ(FailureMessage(MessageType::kUnknown, "", why),
            R"({"type":"error","success":false,"error":{"code":"rate_limited","message":"slower",)"
            R"("retryable":true,"retry_after_ms":250}})");
}

TEST(ServerMessageTest, PushesAreJson) {
  EXPECT_EQ(GoodbyeMessage(1012, true, absl::Seconds(1), absl::Seconds(10)),
            R"({"type":"goodbye","code":1012,"reconnect":true,"after_ms_min":1000,)"
            R"("after_ms_max":10000})");
  EXPECT_EQ(PresenceMessage("s", "u", "d", "null"),
            R"({"type":"presence","space":"s","user_id":"u","device_id":"d","state":null})");
  EXPECT_EQ(BroadcastMessage("s", "t\n", "[1]", "u", "d"),
            R"({"type":"broadcast","space":"s","topic":"t\n","payload":[1],"user_id":"u",)"
            R"("device_id":"d"})");
  EXPECT_EQ(Parse(ResyncMessage("s1", "epoch", absl::Seconds(1))).Find("after_ms")->number_text(),
            "1000");
  EXPECT_EQ(Parse(TokenExpiringMessage(absl::FromUnixMillis(0))).Find("expires_at")->string(),
            "1970-01-01T00:00:00.000Z");
}

TEST(AppendTimeTest, WritesMillisecondsAlsoBefore1970) {
  const auto text = [](int64_t ms) {
    std::string out;
    AppendTime(ms, out);
    return out;
  };
  EXPECT_EQ(text(1795428000500), "\"2026-11-23T10:00:00.500Z\"");
  EXPECT_EQ(text(-1), "\"1969-12-31T23:59:59.999Z\"");
}

}  // namespace
}  // namespace bdcsync::gateway
