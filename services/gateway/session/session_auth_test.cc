// Authentication, refresh and the end of tokens.
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
using ::testing::SizeIs;

class SessionAuthTest : public SessionFixture {};

TEST_F(SessionAuthTest, AnswersWithEverythingTheProtocolPromises) {
  Client client(*this);
  client.Send(absl::StrCat(R"({"type":"authenticate","id":"a","token":")", Token("ada"),
                           R"(","device_id":"d1","network":"wifi"})"));
  const json::Value answer = client.TakeOne();
  EXPECT_EQ(Text(answer, "type"), "authenticated");
  EXPECT_EQ(Text(answer, "id"), "a");
  EXPECT_EQ(Text(answer, "success"), "true");
  EXPECT_EQ(Text(answer, "user_id"), "ada");
  EXPECT_EQ(Text(answer, "device_id"), "d1");
  EXPECT_EQ(Text(answer, "epoch"), "e1");
  EXPECT_EQ(Text(answer, "heartbeat_interval_s"), "30");
  EXPECT_EQ(Text(answer, "server_time"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(Text(answer, "token_expires_at"), "2027-01-15T09:00:00.000Z");
  EXPECT_EQ(Text(answer, "limits/in_flight_max"), "256");
  EXPECT_EQ(Text(answer, "session_id").size(), 36u);
  EXPECT_EQ(subscriptions_.epoch_space, "user:ada");
  EXPECT_THAT(devices_.registered, ElementsAre("ada d1"));
  EXPECT_EQ(directory_.size(), 1u);
}

TEST_F(SessionAuthTest, AnAuthenticationIsCountedAndTimedWhenItIsAnswered) {
  devices_.register_at_once = false;
  Client client(*this);
  client.Send(AuthenticateText(Token("ada"), "d1"));
  EXPECT_EQ(metrics_.authenticated.value(), 0);
  loop_.Advance(absl::Milliseconds(300));
  std::move(devices_.register_done)(Registration());
  loop_.RunPosted();
  EXPECT_EQ(Text(client.TakeOne(), "success"), "true");
  EXPECT_EQ(metrics_.authenticated.value(), 1);
  EXPECT_THAT(registry_.Render(),
              HasSubstr("bdcsync_gateway_request_seconds_sum{type=\"authenticate\"} 0.3"));
}

TEST_F(SessionAuthTest, GivesADeviceIdToAClientWithoutOne) {
  Client client(*this);
  client.Send(absl::StrCat(R"({"type":"authenticate","token":")", Token("ada"), "\"}"));
  EXPECT_EQ(Text(client.TakeOne(), "device_id").size(), 36u);
}

TEST_F(SessionAuthTest, ClosesAClientThatSaysNothingInTime) {
  Client client(*this);
  loop_.Advance(absl::Seconds(10) - absl::Milliseconds(1));
  EXPECT_EQ(client.connection.close_code, 0);
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Text(client.TakeOne(), "error/code"), "unauthenticated");
  EXPECT_EQ(client.connection.close_code, kCloseUnauthenticated);
}

TEST_F(SessionAuthTest, ClosesAClientThatBeginsWithSomethingElse) {
  Client client(*this);
  client.Send(R"({"type":"ping","id":4})");
  const json::Value answer = client.TakeOne();
  EXPECT_EQ(Text(answer, "error/code"), "unauthenticated");
  EXPECT_EQ(Text(answer, "id"), "4");
  EXPECT_EQ(client.connection.close_code, kCloseUnauthenticated);
  EXPECT_THAT(pipeline_.submissions, IsEmpty());
}

TEST_F(SessionAuthTest, RefusesBadAndExpiredTokens) {
  Client forged(*this);
  forged.Send(AuthenticateText("a.b.c", "d1"));
  const json::Value answer = forged.TakeOne();
  EXPECT_EQ(Text(answer, "type"), "authenticated");
  EXPECT_EQ(Text(answer, "success"), "false");
  EXPECT_EQ(Text(answer, "error/code"), "unauthenticated");
  EXPECT_EQ(forged.connection.close_code, kCloseUnauthenticated);
  Client expired(*this);
  expired.Send(AuthenticateText(Token("ada", {}, absl::Seconds(-5)), "d1"));
  EXPECT_EQ(Text(expired.TakeOne(), "error/code"), "token_expired");
  EXPECT_EQ(expired.connection.close_code, kCloseTokenExpired);
  Client missing(*this);
  missing.Send(R"({"type":"authenticate","user_id":"ada"})");
  EXPECT_EQ(Text(missing.TakeOne(), "error/code"), "unauthenticated");
  EXPECT_EQ(directory_.size(), 0u);
}

TEST_F(SessionAuthTest, TakesAUserIdWhereNoTokenIsRequired) {
  services_.options.require_authentication = false;
  Client client(*this);
  client.Send(R"({"type":"authenticate","user_id":"ada"})");
  const json::Value answer = client.TakeOne();
  EXPECT_EQ(Text(answer, "user_id"), "ada");
  EXPECT_EQ(Text(answer, "token_expires_at"), "(none)");
  Client nobody(*this);
  nobody.Send(R"({"type":"authenticate","user_id":"a b"})");
  EXPECT_EQ(Text(nobody.TakeOne(), "error/path"), "/user_id");
  Client forged(*this);  // A token that is given is checked.
  forged.Send(R"({"type":"authenticate","user_id":"ada","token":"x"})");
  EXPECT_EQ(Text(forged.TakeOne(), "error/code"), "unauthenticated");
}

TEST_F(SessionAuthTest, HoldsATokenToItsDevice) {
  Client other(*this);
  other.Send(AuthenticateText(Token("ada", {}, absl::Hours(1), "d1"), "d2"));
  EXPECT_EQ(Text(other.TakeOne(), "error/code"), "forbidden");
  EXPECT_EQ(other.connection.close_code, kCloseForbidden);
  Client same(*this);
  same.Send(absl::StrCat(R"({"type":"authenticate","token":")",
                         Token("ada", {}, absl::Hours(1), "d1"), "\"}"));
  EXPECT_EQ(Text(same.TakeOne(), "device_id"), "d1");
}

TEST_F(SessionAuthTest, RefusesADescriptionThatTheRegistryWouldNotTake) {
  for (const absl::string_view field : {"name", "version", "platform"}) {
    Client client(*this);
    client.Send(absl::StrCat(R"({"type":"authenticate","device_id":"d1","client":{")", field,
                             R"(":"a\u0001"},"token":")", Token("ada"), "\"}"));
    const json::Value answer = client.TakeOne();
    EXPECT_EQ(Text(answer, "error/code"), "invalid_argument");
    EXPECT_EQ(Text(answer, "error/path"), absl::StrCat("/client/", field));
    EXPECT_EQ(client.connection.close_code, kCloseUnauthenticated);
  }
  EXPECT_THAT(devices_.registered, IsEmpty());
}

TEST_F(SessionAuthTest, TwoUsersMayUseTheSameDeviceId) {
  auto ada = Connect("ada", {}, "d1");
  auto bob = Connect("bob", {}, "d1");
  loop_.RunPosted();
  EXPECT_EQ(ada->connection.close_code, 0);
  EXPECT_EQ(bob->connection.close_code, 0);
  EXPECT_THAT(devices_.registered, ElementsAre("ada d1", "bob d1"));
}

TEST_F(SessionAuthTest, AnswersWithoutTheEpochWhenItCannotBeLearnedInTime) {
  subscriptions_.epoch_at_once = false;
  Client client(*this);
  client.Send(AuthenticateText(Token("ada"), "d1"));
  EXPECT_TRUE(client.connection.paused);
  client.Send(R"({"type":"ping","id":1})");  // Was on its way already.
  EXPECT_THAT(client.Take(), IsEmpty());
  loop_.Advance(absl::Seconds(2));
  const std::vector<std::string> sent = client.Take();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(Text(sent[0], "epoch"), "");
  EXPECT_EQ(Text(sent[1], "type"), "pong");
  EXPECT_FALSE(client.connection.paused);
  std::move(subscriptions_.epoch_done)(std::string("late"));
  EXPECT_THAT(client.Take(), IsEmpty());
}

TEST_F(SessionAuthTest, AuthenticatesOnceOnly) {
  auto client = Connect();
  client->Send(AuthenticateText(Token("bob"), "d1"));
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "precondition_failed");
  EXPECT_EQ(client->connection.close_code, 0);
}

TEST_F(SessionAuthTest, WarnsAMinuteAheadAndClosesWhenTheTokenEnds) {
  auto client = Connect();
  loop_.Advance(absl::Minutes(59) - absl::Milliseconds(1));
  EXPECT_THAT(client->Take(), IsEmpty());
  loop_.Advance(absl::Milliseconds(1));
  const json::Value warning = client->TakeOne();
  EXPECT_EQ(Text(warning, "type"), "token_expiring");
  EXPECT_EQ(Text(warning, "expires_at"), "2027-01-15T09:00:00.000Z");
  loop_.Advance(absl::Seconds(60));
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "token_expired");
  EXPECT_EQ(client->connection.close_code, kCloseTokenExpired);
}

TEST_F(SessionAuthTest, NoticesThatTheClockWasSet) {
  auto client = Connect();
  clock_.SetNow(clock_.Now() + absl::Hours(24 * 365));
  loop_.Advance(absl::Hours(1));
  EXPECT_EQ(client->connection.close_code, kCloseTokenExpired);
}

TEST_F(SessionAuthTest, ARefreshKeepsTheSessionAndItsSubscriptions) {
  auto client = Connect("ada", {{"team-1", Access::kRead}});
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Take();
  loop_.Advance(absl::Minutes(59));
  client->Take();
  client->Send(absl::StrCat(R"({"type":"refresh","id":1,"token":")",
                            Token("ada", {{"team-1", Access::kRead}}, absl::Hours(2)), "\"}"));
  const json::Value answer = client->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "refreshed");
  EXPECT_EQ(Text(answer, "token_expires_at"), "2027-01-15T10:59:00.000Z");
  EXPECT_THAT(subscriptions_.log, IsEmpty());
  loop_.Advance(absl::Hours(2) - absl::Seconds(61));
  EXPECT_THAT(client->Take(), IsEmpty());
  loop_.Advance(absl::Seconds(1));
  EXPECT_EQ(Text(client->TakeOne(), "type"), "token_expiring");
}

TEST_F(SessionAuthTest, ARefreshEndsWhatTheNewTokenDoesNotAllow) {
  auto client = Connect("ada", {{"team-1", Access::kRead}, {"team-2", Access::kRead}});
  client->Send(R"({"type":"subscribe","space":"team-1"})");
  client->Send(R"({"type":"subscribe","space":"team-2"})");
  client->Send(R"({"type":"presence","space":"team-1","state":{}})");
  client->Take();
  client->Send(absl::StrCat(R"({"type":"refresh","token":")",
                            Token("ada", {{"team-2", Access::kRead}}), "\"}"));
  EXPECT_THAT(client->Take(),
              ElementsAre(HasSubstr("refreshed"),
                          R"({"type":"revoked","scope":"space","space":"team-1","purge":true})"));
  EXPECT_THAT(subscriptions_.log, ElementsAre("unsubscribe s1"));
  EXPECT_THAT(live_.log, Contains("leave team-1"));
  EXPECT_THAT(live_.log, Contains("presence team-1 null"));
  EXPECT_EQ(client->connection.close_code, 0);
}

TEST_F(SessionAuthTest, ARefreshWithABadOrForeignTokenLeavesTheSessionAsItIs) {
  auto client = Connect();
  client->Send(R"({"type":"refresh","id":1,"token":"x"})");
  const json::Value bad = client->TakeOne();
  EXPECT_EQ(Text(bad, "type"), "refreshed");
  EXPECT_EQ(Text(bad, "success"), "false");
  client->Send(absl::StrCat(R"({"type":"refresh","id":1,"token":")", Token("bob"), "\"}"));
  EXPECT_EQ(Text(client->TakeOne(), "error/code"), "forbidden");
  client->Send(R"({"type":"ping"})");
  EXPECT_EQ(Text(client->TakeOne(), "type"), "pong");
}

TEST_F(SessionAuthTest, OperationsAfterARefreshAreTheNewCallers) {
  auto client = Connect();
  client->Send(absl::StrCat(R"({"type":"refresh","token":")",
                            Token("ada", {{"team-1", Access::kWrite}}), "\"}"));
  client->Send(R"({"type":"sync_request","entity_type":"t","entity_id":"i","operation":"delete"})");
  ASSERT_THAT(pipeline_.submissions, SizeIs(1));
  EXPECT_EQ(AccessTo(*pipeline_.submissions[0].caller, "team-1"), Access::kWrite);
  EXPECT_EQ(pipeline_.submissions[0].caller->device_id, "d1");
}

TEST_F(SessionAuthTest, ANewerSessionOfTheDeviceEndsTheOlderOne) {
  auto older = Connect("ada", {}, "d1");
  auto other_device = Connect("ada", {}, "d2");
  auto other_user = Connect("bob", {}, "d1");
  auto newer = Connect("ada", {}, "d1");
  EXPECT_EQ(older->connection.close_code, kCloseSuperseded);
  const json::Value goodbye = older->TakeOne();
  EXPECT_EQ(Text(goodbye, "type"), "goodbye");
  EXPECT_EQ(Text(goodbye, "reconnect"), "false");
  EXPECT_EQ(other_device->connection.close_code, 0);
  EXPECT_EQ(other_user->connection.close_code, 0);
  older->Leave();
  EXPECT_THAT(devices_.heartbeats, IsEmpty());  // The device is still online.
  newer->Leave();
  EXPECT_THAT(devices_.heartbeats, ElementsAre("d1 offline"));
  EXPECT_EQ(directory_.size(), 2u);
}

TEST_F(SessionAuthTest, LimitsTheSessionsOfAUser) {
  services_.options.sessions_per_user_max = 2;
  auto first = Connect("ada", {}, "d1");
  auto second = Connect("ada", {}, "d2");
  Client third(*this);
  third.Send(AuthenticateText(Token("ada"), "d3"));
  EXPECT_EQ(Text(third.TakeOne(), "error/code"), "quota_exceeded");
  EXPECT_EQ(third.connection.close_code, kCloseRateLimited);
  auto again = Connect("ada", {}, "d2");  // Replaces its own.
  first->Leave();
  Client fourth(*this);
  fourth.Send(AuthenticateText(Token("ada"), "d4"));
  EXPECT_EQ(Text(fourth.TakeOne(), "success"), "true");
}

TEST_F(SessionAuthTest, NothingIsLeftOfASessionThatIsGone) {
  {
    auto client = Connect();
    client->Send(
        R"({"type":"sync_request","entity_type":"t","entity_id":"i","operation":"delete"})");
  }
  EXPECT_EQ(loop_.timers(), 0u);
  EXPECT_EQ(directory_.size(), 0u);
  EXPECT_EQ(metrics_.sessions.value(), 0);
  EXPECT_EQ(metrics_.requests_in_flight.value(), 0);
  pipeline_.submissions[0].Apply();  // The late answer finds nobody.
  loop_.RunPosted();
}

TEST_F(SessionAuthTest, AnIdThatIsNoneIsWhatTheAnswerComplainsOf) {
  Client client(*this);
  client.Send(R"({"type":"authenticate","id":null,"token":"t"})");
  const json::Value answer = client.TakeOne();
  EXPECT_EQ(Text(answer, "type"), "authenticated");
  EXPECT_EQ(Text(answer, "error/path"), "/id");
  EXPECT_EQ(client.connection.close_code, kCloseUnauthenticated);
}

}  // namespace
}  // namespace bdcsync::gateway
