// conflicts and resolve_conflict against a fake desk, and the order of their answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/testing/session_fixture.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionConflictsTest : public SessionFixture {
 protected:
  void SetUp() override { client_ = Connect("ada", {{"team", Access::kWrite}}); }
  void Resolve(int id, absl::string_view conflict) {
    client_->Send(absl::StrCat(R"({"type":"resolve_conflict","id":)", id, R"(,"conflict_id":")",
                               conflict, R"(","choice":"ours"})"));
  }
  void AnswerDecision(size_t place, sync::v1::DecideResult result) {
    sync::v1::DecideConflictsResponse response;
    *response.add_results() = std::move(result);
    desk_.decisions[place].done(std::move(response));
    loop_.RunPosted();
  }
  static sync::v1::DecideResult Resolved() {
    sync::v1::DecideResult result;
    result.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_RESOLVED);
    result.set_version_id("2-bb");
    return result;
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const std::string& message : client_->Take()) ids.push_back(Text(message, "id"));
    return ids;
  }
  std::unique_ptr<Client> client_;
};

TEST_F(SessionConflictsTest, AListIsOfTheOwnSpaceUnlessAnotherIsNamed) {
  client_->Send(R"({"type":"conflicts","id":1})");
  client_->Send(R"({"type":"conflicts","id":2,"space":"team","status":"any","limit":3})");
  ASSERT_THAT(desk_.lists, SizeIs(2));
  EXPECT_EQ(desk_.lists[0].request.space(), "user:ada");
  EXPECT_EQ(desk_.lists[0].caller->user_id, "ada");
  EXPECT_EQ(desk_.lists[1].request.space(), "team");
  EXPECT_EQ(desk_.lists[1].request.limit(), 3);
  sync::v1::ListConflictsResponse page;
  page.add_conflicts()->set_conflict_id("c1");
  desk_.lists[1].done(std::move(page));  // Answers of different ids overtake.
  loop_.RunPosted();
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "conflicts");
  EXPECT_EQ(Text(answer, "id"), "2");
  EXPECT_EQ(Text(answer, "conflicts/0/conflict_id"), "c1");
  desk_.lists[0].done(MakeError(Reason::kUnavailable, "away"));
  loop_.RunPosted();
  const json::Value failure = client_->TakeOne();
  EXPECT_EQ(Text(failure, "type"), "error");
  EXPECT_EQ(Text(failure, "error/code"), "unavailable");
}

TEST_F(SessionConflictsTest, OneConflictIsShownWithItsStates) {
  client_->Send(R"({"type":"conflicts","id":1,"conflict_id":"c1","choices":[{"choice":"base"}]})");
  ASSERT_THAT(desk_.gets, SizeIs(1));
  EXPECT_EQ(desk_.gets[0].request.choices(0).choice(), "base");
  sync::v1::GetConflictResponse response;
  response.mutable_view()->mutable_conflict()->set_conflict_id("c1");
  response.mutable_view()->mutable_conflict()->mutable_entity()->set_space("user:ada");
  response.mutable_view()->mutable_theirs()->set_version_id("2-bb");
  desk_.gets[0].done(std::move(response));
  loop_.RunPosted();
  EXPECT_EQ(Text(client_->TakeOne(), "conflicts/0/states/theirs/version_id"), "2-bb");
}

TEST_F(SessionConflictsTest, AListAboutAnEntitySeesTheWritesBeforeIt) {
  client_->Send(R"({"type":"sync_request","id":1,"space":"team","entity_type":"note",)"
                R"("entity_id":"n1","operation":"delete"})");
  client_->Send(R"({"type":"conflicts","id":2,"space":"team","entity_type":"note",)"
                R"("entity_id":"n1"})");
  EXPECT_THAT(desk_.lists, IsEmpty());
  pipeline_.submissions[0].Apply();
  loop_.RunPosted();
  ASSERT_THAT(desk_.lists, SizeIs(1));
  desk_.lists[0].done(sync::v1::ListConflictsResponse());
  loop_.RunPosted();
  EXPECT_THAT(Ids(), ElementsAre("1", "2"));
}

TEST_F(SessionConflictsTest, ADecisionIsAnsweredWithWhatBecameOfIt) {
  Resolve(1, "c1");
  ASSERT_THAT(desk_.decisions, SizeIs(1));
  EXPECT_EQ(desk_.decisions[0].request.decisions(0).conflict_id(), "c1");
  EXPECT_EQ(desk_.decisions[0].request.decisions(0).choices(0).choice(), "ours");
  AnswerDecision(0, Resolved());
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "conflict_resolved");
  EXPECT_EQ(Text(answer, "success"), "true");
  EXPECT_EQ(Text(answer, "status"), "resolved");
  EXPECT_EQ(Text(answer, "version_id"), "2-bb");
}

TEST_F(SessionConflictsTest, ARefusedDecisionIsACountedFailureOfItsOwnType) {
  Resolve(1, "c1");
  sync::v1::DecideResult refused;
  *refused.mutable_error() = ErrorOf(MakeError(Reason::kForbidden, "no"));
  AnswerDecision(0, refused);
  const json::Value answer = client_->TakeOne();
  EXPECT_EQ(Text(answer, "type"), "conflict_resolved");
  EXPECT_EQ(Text(answer, "success"), "false");
  EXPECT_EQ(Text(answer, "conflict_id"), "c1");
  EXPECT_EQ(Text(answer, "error/code"), "forbidden");
  Resolve(2, "c1");
  desk_.decisions[1].done(MakeError(Reason::kRateLimited, "slow down"));
  loop_.RunPosted();
  EXPECT_EQ(Text(client_->TakeOne(), "error/code"), "rate_limited");
  EXPECT_THAT(registry_.Render(),
              ::testing::HasSubstr(R"(bdcsync_gateway_errors_total{code="forbidden"} 1)"));
  client_->Send(R"({"type":"resolve_conflict","id":3,"conflict_id":"c1"})");
  const json::Value malformed = client_->TakeOne();
  EXPECT_EQ(Text(malformed, "type"), "conflict_resolved");
  EXPECT_EQ(Text(malformed, "error/path"), "/choice");
}

TEST_F(SessionConflictsTest, AnswersAboutOneConflictKeepTheirOrder) {
  Resolve(1, "c1");
  Resolve(2, "c1");
  Resolve(3, "c2");
  AnswerDecision(1, Resolved());
  EXPECT_THAT(Ids(), IsEmpty());
  AnswerDecision(2, Resolved());
  EXPECT_THAT(Ids(), ElementsAre("3"));
  AnswerDecision(0, Resolved());
  EXPECT_THAT(Ids(), ElementsAre("1", "2"));
}

TEST_F(SessionConflictsTest, UnansweredRequestsStopTheReading) {
  services_.options.in_flight_max = 2;
  Resolve(1, "c1");
  EXPECT_FALSE(client_->connection.paused);
  client_->Send(R"({"type":"conflicts","id":2})");
  EXPECT_TRUE(client_->connection.paused);
  AnswerDecision(0, Resolved());
  EXPECT_FALSE(client_->connection.paused);
}

}  // namespace
}  // namespace bdcsync::gateway
