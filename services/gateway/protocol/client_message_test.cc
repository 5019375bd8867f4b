// Messages that clients may send, and those that they should not.
#include "services/gateway/protocol/client_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/protocol/operation_message.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// The request in `text`, which must be one.
template <typename Request>
Request Read(absl::string_view text) {
  ClientMessage message = ParseClientMessage(text);
  EXPECT_OK(message.request) << text;
  if (!message.request.ok()) return Request();
  return std::get<Request>(*message.request);
}

absl::Status Refusal(absl::string_view text) { return ParseClientMessage(text).request.status(); }

void ExpectRefusedAt(absl::string_view path, absl::string_view text) {
  const absl::Status status = Refusal(text);
  EXPECT_THAT(status, HasReason(Reason::kInvalidArgument)) << text;
  EXPECT_EQ(PathOf(status), path) << text;
}

TEST(ClientMessageTest, EchoesIdsExactlyAsTheyCame) {
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping","id":7})").id, "7");
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping","id":9007199254740993})").id, "9007199254740993");
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping","id":1.10})").id, "1.10");
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping","id":"a\"b"})").id, R"("a\"b")");
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping"})").id, "");
}

TEST(ClientMessageTest, RefusesIdsThatAreNeitherStringNorNumber) {
  for (const char* id : {"null", "true", "[]", "{}"}) {
    ExpectRefusedAt("/id", absl::StrCat(R"({"type":"ping","id":)", id, "}"));
  }
}

TEST(ClientMessageTest, RefusesWhatIsNoMessage) {
  for (const char* text :
       {"", " ", "x", "[]", "7", "null", "{", R"({"type":"ping")", "{}", R"({"type":7})",
        R"({"id":1})", "{\"type\":\"\xff\"}", R"({"type":"\ud800"})"}) {
    EXPECT_THAT(Refusal(text), HasReason(Reason::kBadMessage)) << text;
  }
}

TEST(ClientMessageTest, KeepsTheIdOfAMessageOfUnknownType) {
  const ClientMessage message = ParseClientMessage(R"({"type":"branch","id":5})");
  EXPECT_THAT(message.request, HasReason(Reason::kUnknownType));
  EXPECT_EQ(message.id, "5");
}

TEST(ClientMessageTest, RefusesDeepNestingAndTakesTheLimit) {
  const auto nested = [](size_t depth) {
    return absl::StrCat(R"({"type":"ping","x":)", std::string(depth, '['), std::string(depth, ']'),
                        "}");
  };
  EXPECT_OK(ParseClientMessage(nested(63)).request);
  EXPECT_THAT(Refusal(nested(64)), HasReason(Reason::kTooDeep));
  EXPECT_THAT(Refusal(nested(100'000)), HasReason(Reason::kTooDeep));
}

TEST(ClientMessageTest, IgnoresFieldsThatItDoesNotKnow) {
  EXPECT_OK(ParseClientMessage(R"({"type":"ping","later":{"a":[1]}})").request);
}

TEST(ClientMessageTest, ReadsAuthenticate) {
  const auto request = Read<AuthenticateRequest>(
      R"({"type":"authenticate","token":"t","device_id":"d","network":"metered",
          "client":{"name":"n","version":"v","platform":"p"}})");
  EXPECT_EQ(request.token, "t");
  EXPECT_EQ(request.device_id, "d");
  EXPECT_EQ(request.client_name, "n");
  EXPECT_EQ(request.client_version, "v");
  EXPECT_EQ(request.client_platform, "p");
  EXPECT_EQ(request.network, device_sync::v1::NETWORK_METERED);
  ExpectRefusedAt("/network", R"({"type":"authenticate","network":"5g"})");
  ExpectRefusedAt("/client", R"({"type":"authenticate","client":"x"})");
  ExpectRefusedAt("/client/name", R"({"type":"authenticate","client":{"name":1}})");
}

TEST(ClientMessageTest, ReadsAWholeSyncRequest) {
  const auto operation = Read<SyncRequest>(R"({"type":"sync_request","op_id":"o1","space":"team-1",
      "entity_type":"note","entity_id":"n 1","branch":"b/1","operation":"create",
      "data": {"a": 1.10, "b": [null]}, "base_version":"3-ab",
      "client_time":"2026-11-23T10:00:00.5Z",
      "priority":"high","category":"documents","message":"m","metadata":{"k":"v"}})")
                             .operation;
  EXPECT_EQ(operation.op_id(), "o1");
  EXPECT_EQ(operation.entity().space(), "team-1");
  EXPECT_EQ(operation.entity().entity_type(), "note");
  EXPECT_EQ(operation.entity().entity_id(), "n 1");
  EXPECT_EQ(operation.entity().branch(), "b/1");
  EXPECT_EQ(operation.kind(), common::v1::OPERATION_KIND_CREATE);
  EXPECT_EQ(operation.data(), R"({"a":1.10,"b":[null]})");
  EXPECT_EQ(operation.base_version(), "3-ab");
  EXPECT_EQ(operation.client_time_ms(), 1795428000500);
  EXPECT_EQ(operation.priority(), common::v1::PRIORITY_HIGH);
  EXPECT_EQ(operation.category(), "documents");
  EXPECT_EQ(operation.message(), "m");
  EXPECT_EQ(operation.metadata(), R"({"k":"v"})");
}

TEST(ClientMessageTest, TakesAnyValueAsDataAlsoNull) {
  for (const char* data : {"null", "0", "false", R"("")", "[]", "{}"}) {
    EXPECT_EQ(Read<SyncRequest>(absl::StrCat(R"({"type":"sync_request","entity_type":"t",
        "entity_id":"i","operation":"update","data":)",
                                             data, "}"))
                  .operation.data(),
              data);
  }
}

TEST(ClientMessageTest, NamesTheFieldOfASyncRequestThatIsWrong) {
  const auto with = [](absl::string_view fields) {
    return absl::StrCat(R"({"type":"sync_request","entity_type":"t","entity_id":"i",)", fields,
                        "}");
  };
  ExpectRefusedAt("/operation", with(R"("data":1)"));
  ExpectRefusedAt("/operation", with(R"("operation":"upsert")"));
  ExpectRefusedAt("/operation", with(R"("operation":null)"));
  ExpectRefusedAt("/data", with(R"("operation":"create")"));
  ExpectRefusedAt("/data", with(R"("operation":"update")"));
  ExpectRefusedAt("/patch", with(R"("operation":"patch")"));
  ExpectRefusedAt("/patch", with(R"("operation":"patch","patch":"x")"));
  ExpectRefusedAt("/text", with(R"("operation":"text","text":[])"));
  ExpectRefusedAt("/space", with(R"("operation":"delete","space":"a b")"));
  ExpectRefusedAt("/space", with(R"("operation":"delete","space":"")"));
  ExpectRefusedAt("/branch", with(R"("operation":"delete","branch":7)"));
  ExpectRefusedAt("/priority", with(R"("operation":"delete","priority":"now")"));
  ExpectRefusedAt("/client_time", with(R"("operation":"delete","client_time":"now")"));
  ExpectRefusedAt("/client_time", with(R"("operation":"delete","client_time":5)"));
  ExpectRefusedAt("/metadata", with(R"("operation":"delete","metadata":[])"));
  ExpectRefusedAt("/op_id", with(R"("operation":"delete","op_id":1)"));
  ExpectRefusedAt("/op_id", with(R"("operation":"delete","op_id":"a\u0000b")"));
  ExpectRefusedAt("/entity_type",
                  R"({"type":"sync_request","operation":"delete","entity_id":"i"})");
  ExpectRefusedAt(
      "/entity_id",
      R"({"type":"sync_request","operation":"delete","entity_type":"t","entity_id":""})");
}

TEST(ClientMessageTest, KeepsWhatCouldBeReadOfARefusedSyncRequest) {
  const ClientMessage message = ParseClientMessage(
      R"({"type":"sync_request","op_id":"o1","entity_type":"t","entity_id":"i","operation":"no"})");
  EXPECT_FALSE(message.request.ok());
  EXPECT_EQ(message.refused_operation.op_id(), "o1");
  EXPECT_EQ(message.refused_operation.entity().entity_id(), "i");
}

TEST(ClientMessageTest, LimitsTexts) {
  const auto with = [](absl::string_view field, size_t bytes) {
    return absl::StrCat(R"({"type":"sync_request","entity_type":"t","entity_id":"i",)",
                        R"("operation":"delete",")", field, R"(":")", std::string(bytes, 'x'),
                        "\"}");
  };
  EXPECT_OK(ParseClientMessage(with("message", kNoteBytesMax)).request);
  EXPECT_THAT(Refusal(with("message", kNoteBytesMax + 1)), HasReason(Reason::kTooLarge));
  EXPECT_OK(ParseClientMessage(with("op_id", kOpIdBytesMax)).request);
  EXPECT_THAT(Refusal(with("op_id", kOpIdBytesMax + 1)), HasReason(Reason::kTooLarge));
}

TEST(ClientMessageTest, ABatchKeepsWhatIsWrongToTheOperationThatIs) {
  const auto batch = Read<SyncBatchRequest>(R"({"type":"sync_batch","atomic":true,"operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete"},
      {"entity_type":"t","entity_id":"b","operation":"zap"}, 7]})");
  EXPECT_TRUE(batch.atomic);
  ASSERT_THAT(batch.items, SizeIs(3));
  EXPECT_OK(batch.items[0].status);
  EXPECT_EQ(PathOf(batch.items[1].status), "/operations/1/operation");
  EXPECT_EQ(batch.items[1].operation.entity().entity_id(), "b");
  EXPECT_EQ(PathOf(batch.items[2].status), "/operations/2");
}

TEST(ClientMessageTest, AClockThatWasNeverSetIsNoMissingTime) {
  const auto time = [](const char* field) {
    return Read<SyncRequest>(absl::StrCat(R"({"type":"sync_request","entity_type":"t",)",
                                          R"("entity_id":"i","operation":"delete")", field, "}"))
        .operation.client_time_ms();
  };
  EXPECT_EQ(time(""), 0);
  EXPECT_EQ(time(R"(,"client_time":"1970-01-01T00:00:00.000Z")"), 1);
  EXPECT_EQ(time(R"(,"client_time":"1969-12-31T23:59:59.999Z")"), -1);
}

TEST(ClientMessageTest, AnOperationWithoutAProperOpIdStillNamesItsEntity) {
  const auto batch = Read<SyncBatchRequest>(R"({"type":"sync_batch","operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete","op_id":5},
      {"entity_type":"t","entity_id":7,"operation":"delete","op_id":"o"}]})");
  ASSERT_THAT(batch.items, SizeIs(2));
  EXPECT_EQ(PathOf(batch.items[0].status), "/operations/0/op_id");
  EXPECT_EQ(batch.items[0].operation.entity().entity_id(), "a");
  EXPECT_EQ(PathOf(batch.items[1].status), "/operations/1/entity_id");
  EXPECT_EQ(batch.items[1].operation.op_id(), "o");
}

TEST(ClientMessageTest, LimitsABatchAndTakesAnEmptyOne) {
  EXPECT_THAT(Read<SyncBatchRequest>(R"({"type":"sync_batch","operations":[]})").items, SizeIs(0));
  MessageLimits limits;
  limits.batch_operations_max = 2;
  EXPECT_OK(
      ParseClientMessage(R"({"type":"sync_batch","operations":[{},{}]})", limits).request.status());
  EXPECT_THAT(
      ParseClientMessage(R"({"type":"sync_batch","operations":[{},{},{}]})", limits).request,
      HasReason(Reason::kTooLarge));
  ExpectRefusedAt("/operations", R"({"type":"sync_batch"})");
  ExpectRefusedAt("/operations", R"({"type":"sync_batch","operations":{}})");
}

TEST(ClientMessageTest, ReadsReads) {
  const auto get = Read<sync::v1::GetEntityRequest>(
      R"({"type":"get","entity_type":"t","entity_id":"i","as_of":"1970-01-01T00:00:01Z"})");
  EXPECT_EQ(get.query().as_of_ms(), 1000);
  for (const char* early :
       {"1970-01-01T00:00:00Z", "1969-07-20T20:17:40Z", "0001-01-01T00:00:00Z"}) {
    const auto before = Read<sync::v1::GetEntityRequest>(
        absl::StrCat(R"({"type":"get","entity_type":"t","entity_id":"i","as_of":")", early, "\"}"));
    EXPECT_EQ(before.query().as_of_ms(), 1) << early;  // 0 would be the head.
  }
  const auto list = Read<sync::v1::ListEntitiesRequest>(
      R"({"type":"list","entity_types":["a","b"],"limit":1000,"page_token":"p"})");
  EXPECT_THAT(list.entity_types(), ElementsAre("a", "b"));
  EXPECT_EQ(list.limit(), 1000);
  const auto history = Read<sync::v1::GetHistoryRequest>(
      R"({"type":"history","entity_type":"t","entity_id":"i","limit":1e1})");
  EXPECT_EQ(history.limit(), 10);
  const auto diff = Read<sync::v1::DiffRequest>(
      R"({"type":"diff","entity_type":"t","entity_id":"i","from":"1-a","to":"2-b"})");
  EXPECT_EQ(diff.from_version_id(), "1-a");
  EXPECT_EQ(Read<sync::v1::ListEntitiesRequest>(R"({"type":"list","limit":1001})").limit(), 1000);
  EXPECT_EQ(Read<sync::v1::GetHistoryRequest>(
                R"({"type":"history","entity_type":"t","entity_id":"i","limit":100000})")
                .limit(),
            500);
  ExpectRefusedAt("/limit", R"({"type":"list","limit":0})");
  ExpectRefusedAt("/limit", R"({"type":"list","limit":-1})");
  ExpectRefusedAt("/limit", R"({"type":"list","limit":1.5})");
  ExpectRefusedAt("/entity_types", R"({"type":"list","entity_types":[1]})");
  ExpectRefusedAt("/from", R"({"type":"diff","entity_type":"t","entity_id":"i"})");
}

TEST(ClientMessageTest, ReadsSubscribe) {
  const auto spec = Read<SubscribeRequest>(R"({"type":"subscribe","space":"s","cursor":"c",
      "mode":"latest","payload":"none","filter":{"entity_types":["a"],"entity_ids":["b"],
      "categories":["c"],"branches":["d"]}})")
                        .spec;
  EXPECT_EQ(spec.space, "s");
  EXPECT_EQ(spec.cursor, "c");
  EXPECT_EQ(spec.mode, SubscriptionMode::kLatest);
  EXPECT_EQ(spec.payload, SubscriptionPayload::kNone);
  EXPECT_THAT(spec.filter.entity_types, ElementsAre("a"));
  EXPECT_THAT(spec.filter.entity_ids, ElementsAre("b"));
  EXPECT_THAT(spec.filter.categories, ElementsAre("c"));
  EXPECT_THAT(spec.filter.branches, ElementsAre("d"));
  ExpectRefusedAt("/filter/entity_types",
                  R"({"type":"subscribe","filter":{"entity_types":"note"}})");
  ExpectRefusedAt("/mode", R"({"type":"subscribe","mode":"all"})");
  ExpectRefusedAt("/subscription_id", R"({"type":"pause"})");
}

TEST(ClientMessageTest, ReadsLiveMessages) {
  EXPECT_EQ(Read<PresenceRequest>(R"({"type":"presence","state":null})").state, "null");
  EXPECT_EQ(Read<PresenceRequest>(R"({"type":"presence","state":{"x": 1}})").state, R"({"x":1})");
  ExpectRefusedAt("/state", R"({"type":"presence","state":"away"})");
  ExpectRefusedAt("/state", R"({"type":"presence"})");
  EXPECT_EQ(Read<BroadcastRequest>(R"({"type":"broadcast","topic":"t","payload":[1]})").payload,
            "[1]");
  ExpectRefusedAt("/topic", R"({"type":"broadcast","payload":1})");
  ExpectRefusedAt("/payload", R"({"type":"broadcast","topic":"t"})");
  ExpectRefusedAt("/cursor", R"({"type":"ack"})");
}

TEST(RequestHashTest, DependsOnMeaningOnly) {
  const auto hash = [](absl::string_view fields) {
    return RequestHash(
        Read<SyncRequest>(
            absl::StrCat(R"({"type":"sync_request","entity_type":"t","entity_id":"i",)", fields,
                         "}"))
            .operation);
  };
  const uint64_t first = hash(R"("operation":"update","data":{"a":1},"op_id":"x")");
  EXPECT_EQ(first, hash(R"("op_id":"y","data": { "a" : 1 } ,"operation":"update")"));
  EXPECT_EQ(first, hash(R"("priority":"high","operation":"update","data":{"a":1})"));
  EXPECT_NE(first, hash(R"("operation":"create","data":{"a":1})"));
  EXPECT_NE(first, hash(R"("operation":"update","data":{"a":2})"));
  EXPECT_NE(first, hash(R"("operation":"update","data":{"a":1},"message":"m")"));
  EXPECT_NE(first, hash(R"("operation":"update","data":{"a":1},"base_version":"1-a")"));
  EXPECT_NE(hash(R"("operation":"delete","message":"ab","category":"c")"),
            hash(R"("operation":"delete","message":"b","category":"ca")"));
}

}  // namespace
}  // namespace bdcsync::gateway
