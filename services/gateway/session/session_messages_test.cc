// Every message of the protocol against fakes, and the order of answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/session/testing/session_fixture.h"

namespace bdcsync::gateway {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string Delete(absl::string_view id, absl::string_view entity) {
  return absl::StrCat(R"({"type":"sync_request",)", id, R"("op_id":")", entity,
                      R"(","entity_type":"t","entity_id":")", entity, R"(","operation":"delete"})");
}

class SessionMessagesTest : public SessionFixture {
 protected:
  void SetUp() override {
    client_ = Connect("ada", {{"team-1", Access::kWrite}, {"team-2", Access::kRead}});
  }
  std::unique_ptr<Client> client_;
};

TEST_F(SessionMessagesTest, PingIsAnsweredWithTheTime) {
  client_->Send(R"({"type":"ping","id":"x"})");
  EXPECT_EQ(
      client_->Take(),
      std::vector<std::string>{
          R"({"type":"pong","id":"x","success":true,"server_time":"2027-01-15T08:00:00.000Z"})"});
}

TEST_F(SessionMessagesTest, ASyncRequestIsFilledInAndAnswered) {
  client_->Send(R"({"type":"sync_request","id":2,"entity_type":"t","entity_id":"i",)"
                R"("operation":"create","data":1})");
  ASSERT_THAT(pipeline_.submissions, SizeIs(1));
  const common::v1::Operation& operation = pipeline_.submissions[0].operations[0];
  EXPECT_EQ(operation.entity().space(), "user:ada");
  EXPECT_EQ(operation.entity().branch(), "main");
  EXPECT_EQ(operation.op_id().size(), 36u);
  EXPECT_THAT(client_->Take(), IsEmpty());
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "sync_response");
  EXPECT_EQ(Text(answer, "id"), "2");
  EXPECT_EQ(Text(answer, "status"), "applied");
}

TEST_F(SessionMessagesTest, AMalformedSyncRequestIsAnsweredAsRejected) {
  client_->Send(R"({"type":"sync_request","id":2,"op_id":"o","entity_type":"t","entity_id":"i",)"
                R"("operation":"zap"})");
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "sync_response");
  EXPECT_EQ(Text(answer, "success"), "false");
  EXPECT_EQ(Text(answer, "status"), "rejected");
  EXPECT_EQ(Text(answer, "op_id"), "o");
  EXPECT_EQ(Text(answer, "space"), "user:ada");
  EXPECT_EQ(Text(answer, "error/path"), "/operation");
  EXPECT_THAT(pipeline_.submissions, IsEmpty());
  client_->Send(R"({"type":"sync_request","id":3,"entity_type":"t","entity_id":"i"})");
  EXPECT_EQ(Text(client_->TakeOne(), "op_id").size(), 36u);  // As in every other answer to one.
}

TEST_F(SessionMessagesTest, AnswersAboutOneEntityComeInRequestOrderOthersAsTheyFinish) {
  client_->Send(Delete(R"("id":1,)", "a"));
  client_->Send(Delete(R"("id":2,)", "a"));
  client_->Send(Delete(R"("id":3,)", "b"));
  pipeline_.submissions[1].Apply();
  pipeline_.submissions[2].Apply();
  loop_.RunPosted();
  EXPECT_EQ(Text(client_->TakeOne(), "id"), "3");
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(Text(sent[0], "id"), "1");
  EXPECT_EQ(Text(sent[1], "id"), "2");
}

TEST_F(SessionMessagesTest, AnswersWithoutIdComeInRequestOrder) {
  client_->Send(Delete("", "a"));
  client_->Send(R"({"type":"get","entity_type":"t","entity_id":"z"})");
  client_->Send(R"({"type":"ping"})");
  std::move(reads_.gets[0].done)(absl::NotFoundError("none"));
  loop_.RunPosted();
  EXPECT_THAT(client_->Take(), IsEmpty());
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(Text(sent[0], "type"), "sync_response");
  EXPECT_EQ(Text(sent[1], "error/code"), "not_found");
  EXPECT_EQ(Text(sent[2], "type"), "pong");
}

TEST_F(SessionMessagesTest, ABatchIsSubmittedAsOne) {
  client_->Send(R"({"type":"sync_batch","id":1,"atomic":true,"operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete"},
      {"entity_type":"t","entity_id":"b","operation":"delete"}]})");
  ASSERT_THAT(pipeline_.submissions, SizeIs(1));
  EXPECT_TRUE(pipeline_.submissions[0].options.batch);
  EXPECT_TRUE(pipeline_.submissions[0].options.atomic);
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "sync_batch_response");
  EXPECT_EQ(Text(answer, "success"), "true");
  EXPECT_EQ(Text(answer, "results/1/entity_id"), "b");
  EXPECT_EQ(Text(answer, "results/1/success"), "true");
  EXPECT_EQ(Text(answer, "results/1/type"), "(none)");
}

TEST_F(SessionMessagesTest, AMalformedOperationHoldsUpOnlyTheLaterOnesOnItsEntity) {
  client_->Send(R"({"type":"sync_batch","operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete","op_id":"1"},
      {"entity_type":"t","entity_id":"a","operation":"zap","op_id":"2"},
      {"entity_type":"t","entity_id":"a","operation":"delete","op_id":"3"},
      {"entity_type":"t","entity_id":"b","operation":"delete","op_id":"4"}]})");
  ASSERT_THAT(pipeline_.submissions, SizeIs(1));
  ASSERT_THAT(pipeline_.submissions[0].operations, SizeIs(2));
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "results/0/status"), "applied");
  EXPECT_EQ(Text(answer, "results/1/error/code"), "invalid_argument");
  EXPECT_EQ(Text(answer, "results/1/error/path"), "/operations/1/operation");
  EXPECT_EQ(Text(answer, "results/2/error/code"), "depends_on_rejected");
  EXPECT_EQ(Text(answer, "results/3/status"), "applied");
  EXPECT_EQ(Text(answer, "results/3/op_id"), "4");
}

TEST_F(SessionMessagesTest, AnErrorOfABatchLeadsToItsOperation) {
  client_->Send(R"({"type":"sync_batch","operations":[
      {"entity_type":"t","entity_id":"a","operation":"zap"},
      {"entity_type":"t","entity_id":"b","operation":"delete"},
      {"entity_type":"t","entity_id":"c","operation":"delete"},
      {"entity_type":"t","entity_id":"d","operation":"delete"}]})");
  std::vector<sync::v1::OperationResult> results(3);
  results[0].mutable_error()->set_path("/patch/0/value");
  results[1].mutable_error()->set_path("base_version");
  results[2].mutable_error()->set_code("not_found");
  std::move(pipeline_.submissions[0].done)(std::move(results));
  loop_.RunPosted();
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "results/0/error/path"), "/operations/0/operation");
  EXPECT_EQ(Text(answer, "results/1/error/path"), "/operations/1/patch/0/value");
  EXPECT_EQ(Text(answer, "results/2/error/path"), "/operations/2/base_version");
  EXPECT_EQ(Text(answer, "results/3/error/path"), "(none)");
}

TEST_F(SessionMessagesTest, OneMalformedOperationRefusesAnAtomicBatch) {
  client_->Send(R"({"type":"sync_batch","atomic":true,"operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete"},
      {"entity_type":"t","entity_id":"b","operation":"zap"}]})");
  EXPECT_THAT(pipeline_.submissions, IsEmpty());
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "success"), "false");
  EXPECT_EQ(Text(answer, "error/code"), "invalid_argument");
  EXPECT_EQ(Text(answer, "error/path"), "/operations/1/operation");
  EXPECT_EQ(Text(answer, "results/0/error/code"), "depends_on_rejected");
  EXPECT_EQ(Text(answer, "results/1/error/code"), "invalid_argument");
}

TEST_F(SessionMessagesTest, AnEmptyBatchHasNoResults) {
  client_->Send(R"({"type":"sync_batch","operations":[]})");
  EXPECT_EQ(Text(client_->TakeOne(), "results"), "[]");
}

TEST_F(SessionMessagesTest, ReadsAreAnswered) {
  client_->Send(R"({"type":"get","id":1,"entity_type":"t","entity_id":"i"})");
  EXPECT_EQ(reads_.gets[0].request.query().entity().space(), "user:ada");
  std::move(reads_.gets[0].done)(sync::v1::GetEntityResponse());
  client_->Send(R"({"type":"list","id":2,"space":"team-2"})");
  EXPECT_EQ(reads_.lists[0].request.space(), "team-2");
  std::move(reads_.lists[0].done)(sync::v1::ListEntitiesResponse());
  client_->Send(R"({"type":"history","id":3,"entity_type":"t","entity_id":"i"})");
  std::move(reads_.histories[0].done)(sync::v1::GetHistoryResponse());
  client_->Send(
      R"({"type":"diff","id":4,"entity_type":"t","entity_id":"i","from":"1-a","to":"2-b"})");
  std::move(reads_.diffs[0].done)(sync::v1::DiffResponse());
  loop_.RunPosted();
  std::vector<std::string> types;
  for (const std::string& text : client_->Take()) types.push_back(Text(text, "type"));
  EXPECT_THAT(types, ElementsAre("entity", "entities", "history", "diff"));
}

TEST_F(SessionMessagesTest, AReadSeesTheWritesThatWereSentBeforeIt) {
  client_->Send(Delete(R"("id":1,)", "a"));
  client_->Send(R"({"type":"sync_batch","id":2,"operations":[
      {"entity_type":"t","entity_id":"a","operation":"delete"}]})");
  client_->Send(R"({"type":"get","id":3,"entity_type":"t","entity_id":"a"})");
  client_->Send(R"({"type":"history","id":4,"entity_type":"t","entity_id":"a"})");
  client_->Send(R"({"type":"get","id":5,"entity_type":"t","entity_id":"b"})");
  ASSERT_THAT(reads_.gets, SizeIs(1));  // Of b, which nobody writes.
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  EXPECT_THAT(reads_.gets, SizeIs(1));
  pipeline_.submissions[1].Apply();
  loop_.RunPosted();
  ASSERT_THAT(reads_.gets, SizeIs(2));
  EXPECT_EQ(reads_.gets[1].request.query().entity().entity_id(), "a");
  EXPECT_THAT(reads_.histories, SizeIs(1));
}

TEST_F(SessionMessagesTest, OfManyReadsAFewRunAtOnceAndNoneWhileTooMuchWaits) {
  services_.options.reads_at_once_max = 2;
  for (const char* id : {"a", "b", "c", "d"}) {
    client_->Send(
        absl::StrCat(R"({"type":"get","id":"x","entity_type":"t","entity_id":")", id, "\"}"));
  }
  client_->Send(R"({"type":"list","id":"x"})");
  ASSERT_THAT(reads_.gets, SizeIs(2));
  EXPECT_EQ(metrics_.reads_waited.value(), 3);
  std::move(reads_.gets[1].done)(sync::v1::GetEntityResponse());
  loop_.RunPosted();
  ASSERT_THAT(reads_.gets, SizeIs(3));
  client_->connection.is_congested = true;
  std::move(reads_.gets[0].done)(MakeError(Reason::kNotFound, "no"));
  std::move(reads_.gets[2].done)(sync::v1::GetEntityResponse());
  loop_.RunPosted();
  EXPECT_THAT(reads_.gets, SizeIs(3));
  client_->connection.is_congested = false;
  client_->session->OnDrained();
  ASSERT_THAT(reads_.gets, SizeIs(4));
  EXPECT_EQ(reads_.gets[3].request.query().entity().entity_id(), "d");
  EXPECT_THAT(reads_.lists, SizeIs(1));
}

// Answers about one entity leave in order: behind a slow one those of all later reads would gather,
// and be too much at once when it comes.
TEST_F(SessionMessagesTest, AnswersThatWaitForASlowReadHoldUpFurtherReads) {
  services_.options.reads_at_once_max = 3;
  services_.options.held_answer_bytes_max = 1000;
  for (int id = 0; id < 8; ++id) {
    client_->Send(
        absl::StrCat(R"({"type":"get","id":)", id, R"(,"entity_type":"t","entity_id":"a"})"));
  }
  ASSERT_THAT(reads_.gets, SizeIs(3));
  sync::v1::GetEntityResponse large;
  large.mutable_entity()->set_data(absl::StrCat("\"", std::string(1000, 'x'), "\""));
  std::move(reads_.gets[1].done)(large);
  std::move(reads_.gets[2].done)(large);
  loop_.RunPosted();
  EXPECT_THAT(client_->Take(), IsEmpty());
  EXPECT_THAT(reads_.gets, SizeIs(3));
  std::move(reads_.gets[0].done)(large);
  loop_.RunPosted();
  EXPECT_THAT(client_->Take(), SizeIs(3));
  EXPECT_THAT(reads_.gets, SizeIs(6));
}

TEST_F(SessionMessagesTest, ASubscriptionIsAnsweredBeforeItsFrames) {
  subscriptions_.answer_at_once = false;
  client_->Send(R"({"type":"subscribe","id":1,"space":"team-2","cursor":"c"})");
  EXPECT_THAT(client_->Take(), IsEmpty());
  FakeSubscriptions::Entry& entry = subscriptions_.entries[0];
  EXPECT_EQ(entry.spec.space, "team-2");
  EXPECT_EQ(entry.spec.cursor, "c");
  std::move(entry.done)(Subscribed{"c1", "h1"});
  entry.sink->SendFrame("s1", MakeTextFrame(R"({"type":"changes"})"));
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(Text(sent[0], "type"), "subscribed");
  EXPECT_EQ(Text(sent[0], "subscription_id"), "s1");
  EXPECT_EQ(Text(sent[0], "cursor"), "c1");
  EXPECT_EQ(Text(sent[0], "head"), "h1");
  EXPECT_EQ(Text(sent[1], "type"), "changes");
  EXPECT_THAT(live_.log, ElementsAre("join team-2"));
}

TEST_F(SessionMessagesTest, ASubscriptionIsAnsweredOnceBroadcastsFlowAndWhatComesWaits) {
  live_.ready_at_once = false;
  client_->Send(R"({"type":"subscribe","id":1,"space":"team-2"})");
  SubscriptionSink& sink = *subscriptions_.entries[0].sink;
  sink.SendFrame("s1", MakeTextFrame(R"({"type":"changes"})"));
  sink.OnResync("s1", "behind", absl::ZeroDuration());
  EXPECT_THAT(client_->Take(), IsEmpty());
  ASSERT_THAT(live_.waiting, SizeIs(1));
  live_.waiting.front()();
  std::vector<std::string> types;
  for (const std::string& text : client_->Take()) types.push_back(Text(text, "type"));
  EXPECT_THAT(types, ElementsAre("subscribed", "changes", "resync"));
}

TEST_F(SessionMessagesTest, ASessionThatClosesBeforeBroadcastsFlowIsNotAnswered) {
  live_.ready_at_once = false;
  client_->Send(R"({"type":"subscribe","id":1,"space":"team-2"})");
  client_->Leave();
  ASSERT_THAT(live_.waiting, SizeIs(1));
  live_.waiting.front()();
  EXPECT_THAT(client_->Take(), IsEmpty());
}

TEST_F(SessionMessagesTest, FramesWaitWhileTheirAnswerWaitsForItsTurn) {
  client_->Send(Delete("", "a"));  // Unanswered, without id: the next answers wait.
  client_->Send(R"({"type":"subscribe"})");
  SubscriptionSink& sink = *subscriptions_.entries[0].sink;
  sink.SendFrame("s1", MakeTextFrame(R"({"type":"changes"})"));
  EXPECT_THAT(client_->Take(), IsEmpty());
  EXPECT_GT(sink.queued_bytes(), 0u);
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  std::vector<std::string> types;
  for (const std::string& text : client_->Take()) types.push_back(Text(text, "type"));
  EXPECT_THAT(types, ElementsAre("sync_response", "subscribed", "changes"));
  EXPECT_EQ(sink.queued_bytes(), 0u);
  EXPECT_THAT(subscriptions_.log, ElementsAre("drained"));
}

TEST_F(SessionMessagesTest, ARefusedSubscriptionLeavesNothing) {
  subscriptions_.answer_at_once = false;
  services_.options.subscriptions_max = 1;
  client_->Send(R"({"type":"subscribe","id":1,"space":"team-9"})");
  std::move(subscriptions_.entries[0].done)(MakeError(Reason::kForbidden, "no"));
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "forbidden");
  EXPECT_EQ(metrics_.subscriptions.value(), 0);
  EXPECT_THAT(live_.log, Not(Contains("join team-9")));
  subscriptions_.answer_at_once = true;
  client_->Send(R"({"type":"subscribe","id":2})");
  EXPECT_EQ(Text(client_->TakeOne(), "type"), "subscribed");
}

TEST_F(SessionMessagesTest, LimitsSubscriptions) {
  services_.options.subscriptions_max = 2;
  client_->Send(R"({"type":"subscribe"})");
  client_->Send(R"({"type":"subscribe"})");
  client_->Take();
  client_->Send(R"({"type":"subscribe"})");
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "quota_exceeded");
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s1"})");
  client_->Take();
  client_->Send(R"({"type":"subscribe"})");
  EXPECT_EQ(Text(client_->TakeOne(), "type"), "subscribed");
}

TEST_F(SessionMessagesTest, PausesResumesAndEndsASubscription) {
  client_->Send(R"({"type":"subscribe","space":"team-2"})");
  client_->Take();
  client_->Send(R"({"type":"pause","subscription_id":"s1"})");
  EXPECT_EQ(client_->Take(),
            std::vector<std::string>{R"({"type":"paused","success":true,"subscription_id":"s1"})"});
  client_->Send(R"({"type":"resume","subscription_id":"s1"})");
  EXPECT_EQ(Text(client_->TakeOne(), "type"), "resumed");
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s1"})");
  EXPECT_EQ(Text(client_->TakeOne(), "type"), "unsubscribed");
  EXPECT_THAT(subscriptions_.log, ElementsAre("pause s1", "resume s1", "unsubscribe s1"));
  EXPECT_THAT(live_.log, ElementsAre("join team-2", "leave team-2"));
  for (const char* type : {"pause", "resume", "unsubscribe"}) {
    client_->Send(absl::StrCat(R"({"type":")", type, R"(","subscription_id":"s1"})"));
    EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "not_found") << type;
  }
}

TEST_F(SessionMessagesTest, StaysInASpaceAsLongAsASubscriptionDoes) {
  client_->Send(R"({"type":"subscribe","space":"team-2"})");
  client_->Send(R"({"type":"subscribe","space":"team-2"})");
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s1"})");
  EXPECT_THAT(live_.log, Not(Contains("leave team-2")));
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s2"})");
  EXPECT_THAT(live_.log, Contains("leave team-2"));
}

TEST_F(SessionMessagesTest, TellsOfResyncAndOfSubscriptionsThatEnd) {
  client_->Send(R"({"type":"subscribe"})");
  client_->Send(R"({"type":"subscribe"})");
  client_->Take();
  SubscriptionSink& sink = *subscriptions_.entries[0].sink;
  sink.OnResync("s1", "epoch", absl::Seconds(2));
  EXPECT_EQ(client_->Take(),
            std::vector<std::string>{
                R"({"type":"resync","subscription_id":"s1","reason":"epoch","after_ms":2000})"});
  sink.OnEnded("s2", MakeError(Reason::kUnavailable, "gone"));
  const json::Value ended = client_->TakeOne();
  EXPECT_EQ(Text(ended, "subscription_id"), "s2");
  EXPECT_EQ(Text(ended, "error/code"), "unavailable");
  EXPECT_EQ(metrics_.subscriptions.value(), 0);
}

TEST_F(SessionMessagesTest, AcksAreNotAnsweredUnlessTheyAreWrong) {
  client_->Send(R"({"type":"ack","cursor":"c1"})");
  client_->Send(R"({"type":"ack","space":"team-2","cursor":"c2"})");
  EXPECT_THAT(client_->Take(), IsEmpty());
  EXPECT_THAT(devices_.acks, ElementsAre("user:ada c1", "team-2 c2"));
  client_->Send(R"({"type":"ack","id":1,"cursor":"bad"})");
  EXPECT_EQ(Text(client_->TakeOne(), "error/path"), "/cursor");
  client_->Send(R"({"type":"ack","space":"team-9","cursor":"c"})");
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "forbidden");
}

TEST_F(SessionMessagesTest, PresenceIsPublishedAndEndsWithTheSession) {
  client_->Send(R"({"type":"presence","space":"team-2","state":{"x":1}})");
  client_->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client_->Send(R"({"type":"presence","space":"team-1","state":null})");
  EXPECT_THAT(client_->Take(), IsEmpty());
  client_->Leave();
  EXPECT_THAT(live_.log, ElementsAre("join team-2", R"(presence team-2 {"x":1})", "join team-1",
                                     "presence team-1 {}", "leave team-1", "presence team-1 null",
                                     "presence team-2 null", "remove"));
}

TEST_F(SessionMessagesTest, ASpaceIsLeftWithTheLastOfPresenceAndSubscriptions) {
  client_->Send(R"({"type":"subscribe","space":"team-1"})");
  client_->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client_->Send(R"({"type":"presence","space":"team-1","state":{"x":1}})");
  client_->Send(R"({"type":"presence","space":"team-1","state":null})");
  EXPECT_THAT(live_.log, Not(Contains("leave team-1")));
  client_->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s1"})");
  EXPECT_THAT(live_.log, Not(Contains("leave team-1")));
  client_->Send(R"({"type":"presence","space":"team-1","state":null})");
  EXPECT_THAT(live_.log, Contains("leave team-1"));
}

TEST_F(SessionMessagesTest, ABroadcastNeedsTheRightToWrite) {
  client_->Send(R"({"type":"broadcast","id":1,"space":"team-1","topic":"t","payload":[1]})");
  EXPECT_EQ(client_->Take(),
            std::vector<std::string>{R"({"type":"broadcast_sent","id":1,"success":true})"});
  EXPECT_THAT(live_.log, ElementsAre("broadcast team-1 t [1]"));
  client_->Send(R"({"type":"broadcast","space":"team-2","topic":"t","payload":1})");
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "forbidden");
  client_->Send(R"({"type":"presence","space":"team-9","state":{}})");
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "forbidden");
}

TEST_F(SessionMessagesTest, LimitsLiveMessagesByRateAndSize) {
  services_.options.live_messages_per_s = 2;
  auto client = Connect("bob", {}, "d9");
  const std::string broadcast = R"({"type":"broadcast","topic":"t","payload":1})";
  for (int i = 0; i < 2; ++i) client->Send(broadcast);
  client->Take();
  client->Send(broadcast);
  const json::Value refused = client->TakeOne();
  EXPECT_EQ(Text(refused, "error/code"), "rate_limited");
  EXPECT_EQ(Text(refused, "error/retry_after_ms"), "500");
  clock_.Advance(absl::Milliseconds(500));
  client->Send(broadcast);
  EXPECT_EQ(Text(client->TakeOne(), "type"), "broadcast_sent");
  clock_.Advance(absl::Seconds(1));
  client->Send(absl::StrCat(R"({"type":"broadcast","topic":"t","payload":")",
                            std::string(20000, 'x'), "\"}"));
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "too_large");
}

TEST_F(SessionMessagesTest, DeviceStateIsToldToTheDeviceService) {
  client_->Send(
      R"({"type":"update_device","id":1,"network":"metered","battery_percent":5,"charging":true})");
  EXPECT_EQ(Text(client_->TakeOne(), "type"), "device_updated");
  EXPECT_EQ(devices_.last_state.network(), device_sync::v1::NETWORK_METERED);
  EXPECT_EQ(devices_.last_state.battery_percent(), 5);
  EXPECT_TRUE(devices_.last_state.charging());
  loop_.Advance(absl::Minutes(1));
  EXPECT_THAT(devices_.heartbeats, ElementsAre("d1 state", "d1"));
}

TEST_F(SessionMessagesTest, WhatIsNotThereYetIsAnUnknownType) {
  for (const char* type : {"branch", "nonsense"}) {
    client_->Send(absl::StrCat(R"({"type":")", type, R"(","id":1})"));
    EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "unknown_type") << type;
  }
  EXPECT_EQ(client_->connection.close_code, 0);
}

TEST_F(SessionMessagesTest, ClosesAfterTenMalformedMessagesInARow) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 9; ++i) client_->Send("{");
    client_->Send(R"({"type":"ping"})");
  }
  EXPECT_EQ(client_->connection.close_code, 0);
  client_->Take();
  for (int i = 0; i < 10; ++i) client_->Send("nonsense");
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(10));
  EXPECT_EQ(Text(sent[0], "error/code"), "bad_message");
  EXPECT_EQ(client_->connection.close_code, kCloseBadMessage);
}

TEST_F(SessionMessagesTest, StopsReadingWhileTooMuchIsUnanswered) {
  services_.options.in_flight_max = 2;
  client_->Send(Delete(R"("id":1,)", "a"));
  EXPECT_FALSE(client_->connection.paused);
  client_->Send(Delete(R"("id":2,)", "b"));
  EXPECT_TRUE(client_->connection.paused);
  pipeline_.submissions[1].Apply();
  loop_.RunPosted();
  EXPECT_FALSE(client_->connection.paused);
}

TEST_F(SessionMessagesTest, TellsTheOutcomeOfAQueuedOperationLater) {
  client_->Send(R"({"type":"subscribe"})");
  client_->Take();
  sync::v1::OperationResult result;
  result.set_op_id("o");
  result.set_outcome(common::v1::OUTCOME_APPLIED);
  client_->Send(Delete("", "a"));
  const std::string session_id = pipeline_.submissions[0].caller->session_id;
  directory_.OnOutcome(session_id, result);
  directory_.OnOutcome("nobody", result);
  loop_.RunPosted();
  const json::Value push = client_->TakeOne();
  EXPECT_EQ(Text(push, "type"), "sync_response");
  EXPECT_EQ(Text(push, "op_id"), "o");
  EXPECT_EQ(Text(push, "id"), "(none)");
}

TEST_F(SessionMessagesTest, ASlowReaderGetsTheLastPresenceOfEachDeviceAndNoBroadcasts) {
  client_->Send(R"({"type":"subscribe","space":"team-1"})");
  client_->Take();
  auto* sink = dynamic_cast<LiveSink*>(client_->session.get());
  client_->connection.is_congested = true;
  sink->OnPresence("team-1 d2", MakeTextFrame("first"));
  sink->OnPresence("team-1 d2", MakeTextFrame("second"));
  sink->OnBroadcast("team-2", MakeTextFrame("broadcast"));
  EXPECT_THAT(client_->Take(), IsEmpty());
  client_->connection.is_congested = false;
  client_->session->OnDrained();
  EXPECT_THAT(client_->Take(), ElementsAre("second"));
  EXPECT_THAT(subscriptions_.log, ElementsAre("drained"));
  EXPECT_EQ(metrics_.broadcasts_dropped.value(), 1);
}

TEST_F(SessionMessagesTest, ReadsNoMoreFromASlowReaderUntilItHasDrained) {
  client_->connection.is_congested = true;
  client_->Send(R"({"type":"ping"})");
  EXPECT_TRUE(client_->connection.paused);
  client_->connection.is_congested = false;
  client_->session->OnDrained();
  EXPECT_FALSE(client_->connection.paused);
}

TEST_F(SessionMessagesTest, AShutdownWaitsForWhatIsInFlight) {
  client_->Send(Delete(R"("id":1,)", "a"));
  client_->session->OnShutdown();
  const json::Value goodbye = client_->TakeOne();
  EXPECT_EQ(Text(goodbye, "type"), "goodbye");
  EXPECT_EQ(Text(goodbye, "code"), "1012");
  EXPECT_EQ(Text(goodbye, "reconnect"), "true");
  EXPECT_EQ(Text(goodbye, "after_ms_min"), "1000");
  EXPECT_EQ(Text(goodbye, "after_ms_max"), "10000");
  EXPECT_TRUE(client_->connection.paused);
  EXPECT_EQ(client_->connection.close_code, 0);
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  EXPECT_EQ(Text(client_->TakeOne(), "status"), "applied");
  EXPECT_EQ(client_->connection.close_code, kCloseRestart);
}

TEST_F(SessionMessagesTest, AShutdownWaitsABoundedTime) {
  client_->Send(Delete(R"("id":1,)", "a"));
  client_->session->OnShutdown();
  loop_.Advance(absl::Seconds(10));
  EXPECT_EQ(client_->connection.close_code, kCloseRestart);
}

TEST_F(SessionMessagesTest, AnIdleSessionIsShutDownAtOnce) {
  client_->session->OnShutdown();
  EXPECT_EQ(client_->connection.close_code, kCloseRestart);
}

TEST_F(SessionMessagesTest, SaysWhyBeforeTheConnectionClosesByItself) {
  client_->session->OnClosing(kCloseNoLife, "no life");
  EXPECT_EQ(Text(client_->TakeOne(), "code"), "4408");
  client_->session->OnClosing(kCloseBadMessage, "binary");
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "bad_message");
}

}  // namespace
}  // namespace bdcsync::gateway
