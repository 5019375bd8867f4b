// Access that ends: spaces after a refresh, spaces lost while away, and devices that are revoked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/session/close_code.h"
#include "services/gateway/session/testing/session_fixture.h"

namespace bdcsync::gateway {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kDevicePurge[] = R"({"type":"revoked","scope":"device","purge":true})";

class SessionAccessTest : public SessionFixture {
 protected:
  static std::string SpacePurge(absl::string_view space) {
    return absl::StrCat(R"({"type":"revoked","scope":"space","space":")", space,
                        R"(","purge":true})");
  }
  void Refresh(Client& client, Spaces spaces) {
    client.Send(
        absl::StrCat(R"({"type":"refresh","token":")", Token("ada", std::move(spaces)), "\"}"));
  }
};

TEST_F(SessionAccessTest, ARefreshEndsOnlyWhatWasLost) {
  auto client = Connect("ada", {{"team-1", Access::kWrite}, {"team-2", Access::kRead}});
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Send(R"({"type":"subscribe","space":"team-2"})");
  client->Send(R"({"type":"subscribe"})");
  client->Take();
  Refresh(*client, {{"team-2", Access::kRead}});
  EXPECT_THAT(client->Take(), ElementsAre(HasSubstr("refreshed"), SpacePurge("team-1")));
  EXPECT_THAT(subscriptions_.log, ElementsAre("unsubscribe s1"));
  client->Send(R"({"type":"pause","subscription_id":"s2"})");
  EXPECT_EQ(Text(client->TakeOne(), "type"), "paused");
  EXPECT_EQ(client->connection.close_code, 0);
}

TEST_F(SessionAccessTest, ASpaceThatWasNeverUsedIsPurgedTooOnceItIsLost) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  Refresh(*client, {});
  EXPECT_THAT(client->Take(), ElementsAre(HasSubstr("refreshed"), SpacePurge("team-1")));
}

TEST_F(SessionAccessTest, LessAccessIsNoLoss) {
  auto client = Connect("ada", {{"team-1", Access::kWrite}});
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Take();
  Refresh(*client, {{"team-1", Access::kRead}});
  EXPECT_EQ(Text(client->TakeOne(), "type"), "refreshed");
  EXPECT_THAT(subscriptions_.log, IsEmpty());
}

TEST_F(SessionAccessTest, ASubscriptionThatIsBeingMadeIsRefusedWhenItsSpaceIsLost) {
  subscriptions_.answer_at_once = false;
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"subscribe","id":7,"space":"team-1"})");
  Refresh(*client, {});
  client->Take();
  std::move(subscriptions_.entries.front().done)(Subscribed{"c0", "h0"});
  const json::Value answer = client->TakeOne();
  EXPECT_EQ(Text(answer, "id"), "7");
  EXPECT_EQ(Text(answer, "error/code"), "forbidden");
  EXPECT_THAT(subscriptions_.log, ElementsAre("unsubscribe s1"));
  EXPECT_THAT(live_.log, Not(Contains("join team-1")));
}

TEST_F(SessionAccessTest, ASubscriptionIsRefusedAlsoWhenItsSpaceIsBackBeforeItsAnswer) {
  subscriptions_.answer_at_once = false;
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"subscribe","id":7,"space":"team-1","cursor":"c"})");
  Refresh(*client, {});  // The client purges what it had up to the cursor.
  Refresh(*client, {{"team-1", Access::kRead}});
  client->Take();
  std::move(subscriptions_.entries.front().done)(Subscribed{"c", "h0"});
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "forbidden");
  EXPECT_THAT(subscriptions_.log, ElementsAre("unsubscribe s1"));
}

TEST_F(SessionAccessTest, ASubscriptionWhoseAnswerWaitsIsRefusedWhenItsSpaceIsLost) {
  live_.ready_at_once = false;
  auto client = Connect("ada", {{"team-1", Access::kRead}, {"team-2", Access::kRead}});
  client->Send(R"({"type":"subscribe","id":7,"space":"team-1"})");
  client->Send(R"({"type":"subscribe","id":8,"space":"team-2"})");
  SubscriptionSink& sink = *subscriptions_.entries[0].sink;
  auto& live = dynamic_cast<LiveSink&>(*client->session);
  sink.SendFrame("s1", MakeTextFrame(R"({"type":"changes","subscription_id":"s1"})"));
  sink.SendFrame("s2", MakeTextFrame(R"({"type":"changes","subscription_id":"s2"})"));
  live.OnPresence("team-1\neve\nd", MakeTextFrame(R"({"type":"presence","space":"team-1"})"));
  live.OnBroadcast("team-1", MakeTextFrame(R"({"type":"broadcast","space":"team-1"})"));
  Refresh(*client, {{"team-2", Access::kRead}});
  EXPECT_THAT(client->Take(), ElementsAre(HasSubstr("refreshed"), SpacePurge("team-1")));
  for (LiveReady& ready : live_.waiting) ready();
  const std::vector<std::string> sent = client->Take();
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(Text(sent[0], "type"), "error");
  EXPECT_EQ(Text(sent[0], "id"), "7");
  EXPECT_EQ(Text(sent[0], "error/code"), "forbidden");
  EXPECT_EQ(Text(sent[1], "subscription_id"), "s2");
  EXPECT_EQ(Text(sent[2], "type"), "changes");
  EXPECT_EQ(Text(sent[2], "subscription_id"), "s2");
  EXPECT_EQ(sink.queued_bytes(), 0u);
}

TEST_F(SessionAccessTest, ASubscriptionWhoseAnswerWaitsForItsTurnIsRefusedToo) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"get","entity_type":"t","entity_id":"i"})");  // The next one waits.
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Send(absl::StrCat(R"({"type":"refresh","id":9,"token":")", Token("ada"), "\"}"));
  EXPECT_THAT(client->Take(), ElementsAre(HasSubstr("refreshed"), SpacePurge("team-1")));
  std::move(reads_.gets[0].done)(sync::v1::GetEntityResponse());
  loop_.RunPosted();
  const std::vector<std::string> sent = client->Take();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(Text(sent[0], "type"), "entity");
  EXPECT_EQ(Text(sent[1], "error/code"), "forbidden");
}

TEST_F(SessionAccessTest, WhatIsReadWhileItsSpaceIsLostIsNotTold) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"get","id":1,"space":"team-1","entity_type":"t","entity_id":"i"})");
  client->Send(R"({"type":"conflicts","id":2,"conflict_id":"c"})");
  client->Send(R"({"type":"get","id":3,"entity_type":"t","entity_id":"i"})");
  Refresh(*client, {});
  client->Take();
  std::move(reads_.gets[0].done)(sync::v1::GetEntityResponse());
  sync::v1::GetConflictResponse view;
  view.mutable_view()->mutable_conflict()->mutable_entity()->set_space("team-1");
  std::move(desk_.gets[0].done)(view);
  std::move(reads_.gets[1].done)(sync::v1::GetEntityResponse());
  loop_.RunPosted();
  const std::vector<std::string> sent = client->Take();
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(Text(sent[0], "error/code"), "forbidden");
  EXPECT_EQ(Text(sent[1], "error/code"), "forbidden");
  EXPECT_EQ(Text(sent[2], "success"), "true");
}

TEST_F(SessionAccessTest, ARevokedDeviceIsNotToldWhatItHadAskedFor) {
  auto client = Connect();
  client->Send(R"({"type":"get","id":1,"entity_type":"t","entity_id":"i"})");
  dynamic_cast<DirectedSession&>(*client->session).OnDeviceRevoked();
  EXPECT_THAT(client->Take(), ElementsAre(kDevicePurge));
  std::move(reads_.gets[0].done)(sync::v1::GetEntityResponse());
  loop_.RunPosted();
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "forbidden");
}

TEST_F(SessionAccessTest, PresenceEndsWithTheAccessBesideASubscriptionThatIsBeingMade) {
  subscriptions_.answer_at_once = false;
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  Refresh(*client, {});
  EXPECT_THAT(live_.log, Contains("leave team-1"));
}

TEST_F(SessionAccessTest, APurgeIsConfirmedOnceAndOnlyWhenItWasAskedFor) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"purged","scope":"space","space":"team-1"})");
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "precondition_failed");
  Refresh(*client, {});
  client->Take();
  client->Send(R"({"type":"purged","scope":"space","space":"team-1"})");
  EXPECT_THAT(client->Take(), IsEmpty());
  EXPECT_THAT(devices_.purges, ElementsAre("d1 team-1"));
  client->Send(R"({"type":"purged","scope":"space","space":"team-1"})");
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "precondition_failed");
  client->Send(R"({"type":"purged","scope":"device"})");
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "precondition_failed");
  EXPECT_EQ(metrics_.space_purges_asked.value(), 1);
  EXPECT_EQ(metrics_.space_purges_confirmed.value(), 1);
}

TEST_F(SessionAccessTest, APurgeNamesItsScope) {
  auto client = Connect();
  client->Send(R"({"type":"purged"})");
  EXPECT_EQ(Text(client->TakeOne(), "error/path"), "/scope");
  client->Send(R"({"type":"purged","scope":"space"})");
  EXPECT_EQ(Text(client->TakeOne(), "error/path"), "/space");
}

TEST_F(SessionAccessTest, WhatWasLostWhileTheDeviceWasAwayIsPurgedWhenItReturns) {
  devices_.registration->spaces = {"team-1", "team-2", "user:ada"};
  Client client(*this);
  client.Send(AuthenticateText(Token("ada", {{"team-2", Access::kRead}}), "d1"));
  EXPECT_THAT(client.Take(), ElementsAre(HasSubstr("authenticated"), SpacePurge("team-1")));
}

TEST_F(SessionAccessTest, PresenceEndsWithTheAccess) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"presence","space":"team-1","state":{}})");
  Refresh(*client, {});
  EXPECT_THAT(live_.log, ElementsAre("join team-1", "presence team-1 {}", "leave team-1",
                                     "presence team-1 null"));
}

TEST_F(SessionAccessTest, ARevokedDeviceIsToldToPurgeAndThenClosed) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client->Take();
  device_sync::v1::DeviceName device;
  device.set_user_id("ada");
  device.set_device_id("d1");
  directory_.OnRevoked(device);
  loop_.RunPosted();
  EXPECT_THAT(client->Take(), ElementsAre(kDevicePurge));
  EXPECT_THAT(subscriptions_.log, ElementsAre("remove"));
  EXPECT_THAT(live_.log, Contains("presence team-1 null"));
  EXPECT_EQ(client->connection.close_code, 0);
  client->Send(R"({"type":"ping","id":3})");
  const json::Value refused = client->TakeOne();
  EXPECT_EQ(Text(refused, "error/code"), "forbidden");
  EXPECT_EQ(Text(refused, "id"), "3");
  client->Send(R"({"type":"sync_request","op_id":"o","entity_type":"t","entity_id":"i",)"
               R"("operation":"delete"})");
  const json::Value rejected = client->TakeOne();
  EXPECT_EQ(Text(rejected, "type"), "sync_response");
  EXPECT_EQ(Text(rejected, "status"), "rejected");
  EXPECT_EQ(Text(rejected, "op_id"), "o");
  EXPECT_EQ(Text(rejected, "space"), "user:ada");
  EXPECT_EQ(Text(rejected, "error/code"), "forbidden");
  EXPECT_THAT(pipeline_.submissions, IsEmpty());
  client->Send(R"({"type":"purged","scope":"device"})");
  EXPECT_THAT(devices_.purges, ElementsAre("d1 "));
  EXPECT_EQ(client->connection.close_code, kCloseForbidden);
  EXPECT_EQ(metrics_.sessions_revoked.value(), 1);
  EXPECT_EQ(metrics_.subscriptions.value(), 0);
}

TEST_F(SessionAccessTest, ARevokedDeviceThatDoesNotConfirmIsClosedInTime) {
  auto client = Connect();
  device_sync::v1::DeviceName device;
  device.set_user_id("ada");
  device.set_device_id("d1");
  directory_.OnRevoked(device);
  loop_.Advance(absl::Seconds(2) - absl::Milliseconds(1));
  EXPECT_EQ(client->connection.close_code, 0);
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(client->connection.close_code, kCloseForbidden);
  EXPECT_THAT(devices_.purges, IsEmpty());
}

TEST_F(SessionAccessTest, ARevokedDeviceIsNotLetInAgain) {
  devices_.registration->revoked = true;
  Client client(*this);
  client.Send(AuthenticateText(Token("ada"), "d1"));
  const std::vector<std::string> sent = client.Take();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0], kDevicePurge);
  EXPECT_EQ(Text(sent[1], "type"), "authenticated");
  EXPECT_EQ(Text(sent[1], "success"), "false");
  EXPECT_EQ(Text(sent[1], "error/code"), "forbidden");
  EXPECT_FALSE(client.connection.paused);
  client.Send(R"({"type":"purged","scope":"device"})");
  EXPECT_EQ(client.connection.close_code, kCloseForbidden);
  EXPECT_EQ(metrics_.authenticated.value(), 0);
  EXPECT_EQ(metrics_.authentication_refused.value(), 1);
}

TEST_F(SessionAccessTest, AnAnswerOfTheRegistryThatComesLateStillCounts) {
  devices_.register_at_once = false;
  Client client(*this);
  client.Send(AuthenticateText(Token("ada"), "d1"));
  EXPECT_THAT(client.Take(), IsEmpty());
  loop_.Advance(absl::Seconds(2));
  EXPECT_EQ(Text(client.TakeOne(), "success"), "true");
  Registration revoked;
  revoked.revoked = true;
  std::move(devices_.register_done)(revoked);
  loop_.RunPosted();
  EXPECT_THAT(client.Take(), ElementsAre(kDevicePurge));
}

TEST_F(SessionAccessTest, WithoutTheRegistrySessionsGoOn) {
  devices_.registration = absl::UnavailableError("down");
  Client client(*this);
  client.Send(AuthenticateText(Token("ada"), "d1"));
  EXPECT_EQ(Text(client.TakeOne(), "success"), "true");
}

}  // namespace
}  // namespace bdcsync::gateway
