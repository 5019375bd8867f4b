// ConflictDeskService over a real server, in front of a fake desk.
#include "services/gateway/grpc/conflict_desk_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/desk/desk.h"
#include "services/gateway/desk/fake_conflicts.h"
#include "services/gateway/grpc/test_services.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

constexpr char kSecret[] = "a secret that is long enough for this test";

class ConflictDeskServiceTest : public ::testing::Test {
 protected:
  using Stub = sync::v1::ConflictDeskService::Stub;

  ConflictDeskServiceTest() {
    services_.Add("c1", "user:ada");
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = sync::v1::ConflictDeskService::NewStub(server_->InProcessChannel({}));
  }
  ~ConflictDeskServiceTest() override {
    server_->Shutdown();
    server_->Wait();
  }
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const std::string& user = "ada",
                    const std::string& device = "") {
    grpc::ClientContext context;
    if (!user.empty()) {
      Caller caller;
      caller.user_id = user;
      caller.device_id = device;
      caller.token_expires = clock_.Now() + absl::Hours(1);
      context.AddMetadata("authorization", "Bearer " + MintToken(caller, clock_.Now(), kSecret));
    }
    context.AddMetadata("x-app-version", "3.2");
    context.set_deadline(absl::ToChronoTime(clock_.Now() + absl::Seconds(30)));
    return rpc::FromGrpc((stub_.get()->*method)(&context, request, response));
  }

  SystemClock clock_;
  metrics::Registry registry_;
  OneDevice devices_;
  DeviceStanding standing_{devices_, clock_, registry_, DeviceStandingLimits()};
  NoNews news_;
  KeyRing keys_{kSecret, ""};
  TokenVerifier verifier_{keys_, clock_};
  RateLimiter rates_{clock_, RateLimits()};
  log::Logger logger_ = log::NullLogger();
  FakeConflicts services_;
  Desk desk_{services_, services_, rates_, logger_};
  ConflictDeskDependencies dependencies_{{verifier_, standing_, news_}, desk_, 4};
  ConflictDeskService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(ConflictDeskServiceTest, IsUnavailableUntilItServesAndNeedsAToken) {
  sync::v1::ListConflictsResponse page;
  EXPECT_THAT(Call(&Stub::ListConflicts, {}, &page), HasReason(Reason::kUnavailable));
  service_.Serve(&dependencies_);
  EXPECT_THAT(Call(&Stub::ListConflicts, {}, &page, ""), HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Call(&Stub::ListConflicts, {}, &page, "ada", "revoked"),
              HasReason(Reason::kForbidden));
  EXPECT_OK(Call(&Stub::ListConflicts, {}, &page, "ada", "phone"));
  EXPECT_EQ(page.conflicts_size(), 1);
}

TEST_F(ConflictDeskServiceTest, DecisionsCarryTheVersionOfTheProgram) {
  service_.Serve(&dependencies_);
  sync::v1::DecideConflictsRequest request;
  request.add_decisions()->set_conflict_id("c1");
  request.mutable_decisions(0)->add_choices()->set_choice("ours");
  sync::v1::DecideConflictsResponse response;
  ASSERT_OK(Call(&Stub::DecideConflicts, request, &response));
  EXPECT_EQ(response.results(0).version_id(), "2-bb");
  EXPECT_EQ(services_.closings[0].second.items(0).actor().app_version(), "3.2");
}

TEST_F(ConflictDeskServiceTest, ChoicesAreBoundedAndTheirValuesAreJson) {
  service_.Serve(&dependencies_);
  sync::v1::GetConflictRequest request;
  request.set_conflict_id("c1");
  conflict::v1::Choice& choice = *request.add_choices();
  choice.set_choice("value");
  sync::v1::GetConflictResponse response;
  choice.set_value("{");
  EXPECT_THAT(Call(&Stub::GetConflict, request, &response), HasReason(Reason::kBadMessage));
  choice.set_value("[[[[[1]]]]]");
  EXPECT_THAT(Call(&Stub::GetConflict, request, &response), HasReason(Reason::kTooDeep));
  choice.set_value("[1]");
  EXPECT_OK(Call(&Stub::GetConflict, request, &response));
  for (int i = 0; i < 65; ++i) choice.add_paths("/a");
  EXPECT_THAT(Call(&Stub::GetConflict, request, &response), HasReason(Reason::kTooLarge));
  choice.clear_paths();
  for (int i = 0; i < 64; ++i) request.add_choices()->set_choice("ours");
  EXPECT_THAT(Call(&Stub::GetConflict, request, &response), HasReason(Reason::kTooLarge));
}

TEST_F(ConflictDeskServiceTest, ADecisionThatIsNoGoodHoldsUpNoneOfTheOthers) {
  service_.Serve(&dependencies_);
  sync::v1::DecideConflictsRequest request;
  for (const char* value : {"{", "1", "[[[[[1]]]]]", "2"}) {
    sync::v1::ConflictDecision& decision = *request.add_decisions();
    decision.set_conflict_id("c1");
    decision.add_choices()->set_choice("value");
    decision.mutable_choices(0)->set_value(value);
  }
  sync::v1::DecideConflictsResponse response;
  ASSERT_OK(Call(&Stub::DecideConflicts, request, &response));
  ASSERT_EQ(response.results_size(), 4);
  EXPECT_EQ(response.results(0).error().code(), "bad_message");
  EXPECT_EQ(response.results(0).error().path(), "value");
  EXPECT_EQ(response.results(1).version_id(), "2-bb");
  EXPECT_EQ(response.results(2).error().code(), "too_deep");
  EXPECT_FALSE(response.results(3).has_error());
  const auto& items = services_.closings[0].second.items();
  ASSERT_EQ(items.size(), 2);
  EXPECT_EQ(items[1].choices(0).value(), "2");
  while (request.decisions_size() <= kDecisionsMax) *request.add_decisions() = request.decisions(0);
  EXPECT_THAT(Call(&Stub::DecideConflicts, request, &response), HasReason(Reason::kTooLarge));
}

TEST_F(ConflictDeskServiceTest, EveryCallReachesTheDesk) {
  service_.Serve(&dependencies_);
  sync::v1::AssignConflictRequest assign;
  assign.set_conflict_id("c1");
  assign.set_user_id("bo");
  sync::v1::AssignConflictResponse assigned;
  EXPECT_OK(Call(&Stub::AssignConflict, assign, &assigned));
  EXPECT_EQ(assigned.conflict().assigned_to(), "bo");
  sync::v1::CancelConflictRequest cancel;
  cancel.set_conflict_id("c1");
  sync::v1::CancelConflictResponse cancelled;
  EXPECT_THAT(Call(&Stub::CancelConflict, cancel, &cancelled), HasReason(Reason::kForbidden));
  sync::v1::UndoResolutionResponse undone;
  EXPECT_OK(Call(&Stub::UndoResolution, {}, &undone));
  EXPECT_EQ(undone.version_id(), "9-aa");
  sync::v1::ListResolutionsResponse records;
  EXPECT_OK(Call(&Stub::ListResolutions, {}, &records));
  EXPECT_EQ(records.resolutions(0).entity().space(), "user:ada");
  sync::v1::DryRunRequest run;
  run.set_space("user:ada");
  sync::v1::DryRunResponse tried;
  EXPECT_OK(Call(&Stub::DryRun, run, &tried));
  sync::v1::AnalyzeRequest analyze;
  analyze.mutable_query()->set_space("user:ada");
  sync::v1::AnalyzeResponse counts;
  EXPECT_OK(Call(&Stub::Analyze, analyze, &counts));
  EXPECT_EQ(counts.report().total().key(), "user:ada");
  const auto refused = HasReason(Reason::kForbidden);
  sync::v1::PutRuleSetResponse put;
  EXPECT_THAT(Call(&Stub::PutRuleSet, {}, &put), refused);
  sync::v1::GetRuleSetResponse got;
  EXPECT_THAT(Call(&Stub::GetRuleSet, {}, &got), refused);
  sync::v1::ListRuleSetsResponse listed;
  EXPECT_THAT(Call(&Stub::ListRuleSets, {}, &listed), refused);
  sync::v1::RemoveRuleSetResponse removed;
  EXPECT_THAT(Call(&Stub::RemoveRuleSet, {}, &removed), refused);
}

}  // namespace
}  // namespace bdcsync::gateway
