// Who may do what at the desk, and what becomes of it.
#include "services/gateway/desk/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/entity/cursor.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/desk/fake_conflicts.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

int Lines(const log::CapturedLog& log, absl::string_view text) {
  int count = 0;
  for (const std::string& line : log.lines()) count += absl::StrContains(line, text) ? 1 : 0;
  return count;
}

std::shared_ptr<const Caller> Who(const std::string& user, Access team = Access::kWrite,
                                  bool admin = false) {
  Caller caller;
  caller.user_id = user;
  caller.device_id = "phone";
  caller.client_version = "2.1";
  caller.admin = admin;
  if (team != Access::kNone) caller.spaces["team"] = team;
  return std::make_shared<const Caller>(caller);
}

class DeskTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  using Method = void (Desk::*)(ConflictDesk::CallerPtr, Request, ConflictDesk::Done<Response>);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(Method<Request, Response> method,
                               std::shared_ptr<const Caller> caller, Request request) {
    std::optional<absl::StatusOr<Response>> answer;
    (desk_.*method)(std::move(caller), std::move(request),
                    [&answer](absl::StatusOr<Response> got) { answer = std::move(got); });
    return answer.has_value() ? *std::move(answer) : absl::UnknownError("no answer");
  }
  sync::v1::DecideResult Decide(std::shared_ptr<const Caller> caller, const std::string& id) {
    sync::v1::DecideConflictsRequest request;
    request.add_decisions()->set_conflict_id(id);
    request.mutable_decisions(0)->add_choices()->set_choice("ours");
    const auto answer = Ask(&Desk::DecideConflicts, std::move(caller), request);
    EXPECT_OK(answer);
    return answer.ok() ? answer->results(0) : sync::v1::DecideResult();
  }
  absl::Status Assign(std::shared_ptr<const Caller> caller, const std::string& id,
                      const std::string& user) {
    sync::v1::AssignConflictRequest request;
    request.set_conflict_id(id);
    request.set_user_id(user);
    return Ask(&Desk::AssignConflict, std::move(caller), request).status();
  }
  absl::Status Cancel(std::shared_ptr<const Caller> caller, const std::string& id) {
    sync::v1::CancelConflictRequest request;
    request.set_conflict_id(id);
    return Ask(&Desk::CancelConflict, std::move(caller), request).status();
  }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  RateLimiter rates_{clock_, {.per_second = 1, .burst = 1500}};
  log::CapturedLog log_;
  FakeConflicts services_;
  Desk desk_{services_, services_, rates_, log_.logger()};
};

TEST_F(DeskTest, ListsTheConflictsOfASpaceThatMayBeRead) {
  services_.Add("c1", "team");
  services_.Add("c2", "elsewhere");
  sync::v1::ListConflictsRequest request;
  request.set_space("team");
  request.set_entity_type("note");
  request.set_assigned_to("bo");
  request.set_limit(7);
  request.add_states(conflict::v1::CONFLICT_STATE_EXPIRED);
  const auto page = Ask(&Desk::ListConflicts, Who("ada", Access::kRead), request);
  ASSERT_OK(page);
  ASSERT_EQ(page->conflicts_size(), 1);
  EXPECT_EQ(page->conflicts(0).conflict_id(), "c1");
  const conflict::v1::ListConflictsRequest& asked = services_.lists.back();
  EXPECT_EQ(asked.entity_type(), "note");
  EXPECT_EQ(asked.assigned_to(), "bo");
  EXPECT_EQ(asked.limit(), 7);
  EXPECT_THAT(asked.states(), ElementsAre(conflict::v1::CONFLICT_STATE_EXPIRED));
  EXPECT_THAT(Ask(&Desk::ListConflicts, Who("eve", Access::kNone), request).status(),
              HasReason(Reason::kNotFound));
  request.set_space("");
  ASSERT_OK(Ask(&Desk::ListConflicts, Who("ada"), request));
  EXPECT_EQ(services_.lists.back().space(), "user:ada");
  request.set_space("no space");
  EXPECT_THAT(Ask(&Desk::ListConflicts, Who("ada"), request).status(),
              HasReason(Reason::kInvalidArgument));
}

TEST_F(DeskTest, OneConflictIsSeenByThoseWhoMayReadItsSpace) {
  services_.Add("c1", "team");
  sync::v1::GetConflictRequest request;
  request.set_conflict_id("c1");
  request.add_choices()->set_choice("ours");
  const auto view = Ask(&Desk::GetConflict, Who("ada", Access::kRead), request);
  ASSERT_OK(view);
  EXPECT_EQ(view->view().conflict().conflict_id(), "c1");
  EXPECT_EQ(services_.views.back().items(0).choices(0).choice(), "ours");
  EXPECT_THAT(Ask(&Desk::GetConflict, Who("eve", Access::kNone), request).status(),
              HasReason(Reason::kNotFound));
  EXPECT_THAT(services_.views, SizeIs(1));
  request.set_conflict_id("none");
  EXPECT_THAT(Ask(&Desk::GetConflict, Who("ada"), request).status(), HasReason(Reason::kNotFound));
}

TEST_F(DeskTest, ADecisionIsMadeInTheNameOfTheCaller) {
  services_.Add("c1", "team");
  const sync::v1::DecideResult result = Decide(Who("ada"), "c1");
  EXPECT_FALSE(result.has_error()) << result.error().message();
  EXPECT_EQ(result.version_id(), "2-bb");
  EXPECT_EQ(result.cursor(), entity::EncodeCursor({7, 2}));
  const version::v1::CloseItem& item = services_.closings.back().second.items(0);
  EXPECT_EQ(item.cause(), version::v1::CLOSE_CAUSE_DECIDED);
  EXPECT_EQ(item.choices(0).choice(), "ours");
  EXPECT_EQ(item.actor().user_id(), "ada");
  EXPECT_EQ(item.actor().device_id(), "phone");
  EXPECT_EQ(item.actor().app_version(), "2.1");
}

TEST_F(DeskTest, DecisionsAreForThoseWhoMayWriteAndForTheAssignee) {
  services_.Add("c1", "team");
  EXPECT_EQ(Decide(Who("eve", Access::kNone), "c1").error().code(), "not_found");
  EXPECT_EQ(Decide(Who("eve", Access::kRead), "c1").error().code(), "forbidden");
  EXPECT_EQ(Decide(Who("ada"), "none").error().code(), "not_found");
  EXPECT_THAT(services_.closings, IsEmpty());
  EXPECT_OK(Assign(Who("ada"), "c1", "bo"));
  EXPECT_EQ(Decide(Who("ada"), "c1").error().code(), "forbidden");
  EXPECT_FALSE(Decide(Who("bo"), "c1").has_error());
  EXPECT_FALSE(Decide(Who("root", Access::kNone, /*admin=*/true), "c1").has_error());
}

TEST_F(DeskTest, AnAssignmentIsHandedOnByTheAssignee) {
  services_.Add("c1", "team");
  EXPECT_THAT(Assign(Who("eve", Access::kNone), "c1", "bo"), HasReason(Reason::kNotFound));
  EXPECT_THAT(Assign(Who("eve", Access::kRead), "c1", "bo"), HasReason(Reason::kForbidden));
  EXPECT_THAT(Assign(Who("ada"), "c1", "no such user"), HasReason(Reason::kInvalidArgument));
  EXPECT_OK(Assign(Who("ada"), "c1", "bo"));
  EXPECT_THAT(Assign(Who("ada"), "c1", "ada"), HasReason(Reason::kForbidden));
  EXPECT_OK(Assign(Who("bo"), "c1", "cy"));
  EXPECT_OK(Assign(Who("cy"), "c1", ""));
  EXPECT_OK(Assign(Who("ada"), "c1", "ada"));
}

TEST_F(DeskTest, AnAssignmentWhoseAnswerWasLostIsRepeated) {
  services_.Add("c1", "team");
  EXPECT_OK(Assign(Who("ada"), "c1", "bo"));
  EXPECT_OK(Assign(Who("ada"), "c1", "bo"));
  EXPECT_THAT(Assign(Who("eve", Access::kRead), "c1", "bo"), HasReason(Reason::kForbidden));
  EXPECT_THAT(Assign(Who("eve", Access::kNone), "c1", "bo"), HasReason(Reason::kNotFound));
  EXPECT_THAT(Assign(Who("ada"), "c1", "cy"), HasReason(Reason::kForbidden));
  EXPECT_THAT(Assign(Who("ada"), "c1", ""), HasReason(Reason::kForbidden));
}

TEST_F(DeskTest, AChangeIsGivenUpByItsAuthor) {
  services_.Add("c1", "team");
  EXPECT_THAT(Cancel(Who("ada"), "c1"), HasReason(Reason::kForbidden));
  EXPECT_THAT(Cancel(Who("author", Access::kRead), "c1"), HasReason(Reason::kForbidden));
  EXPECT_THAT(Cancel(Who("author", Access::kNone), "c1"), HasReason(Reason::kNotFound));
  EXPECT_OK(Cancel(Who("author"), "c1"));
  EXPECT_EQ(services_.closings.back().second.items(0).cause(), version::v1::CLOSE_CAUSE_CANCELLED);
  EXPECT_OK(Cancel(Who("root", Access::kNone, /*admin=*/true), "c1"));
}

TEST_F(DeskTest, OfManyDecisionsEachStandsForItself) {
  sync::v1::DecideConflictsRequest request;
  for (int i = 0; i < kDecisionsMax; ++i) {
    const std::string id = absl::StrCat("c", i);
    if (i % 10 != 3) services_.Add(id, i % 10 == 4 ? "elsewhere" : "team");
    request.add_decisions()->set_conflict_id(id);
  }
  services_.replica_count = 2;
  const auto answer = Ask(&Desk::DecideConflicts, Who("ada"), request);
  ASSERT_OK(answer);
  ASSERT_EQ(answer->results_size(), kDecisionsMax);
  for (int i = 0; i < kDecisionsMax; ++i) {
    const sync::v1::DecideResult& result = answer->results(i);
    if (i % 10 == 3 || i % 10 == 4) {
      EXPECT_EQ(result.error().code(), "not_found") << i;
    } else {
      EXPECT_EQ(result.conflict().conflict_id(), absl::StrCat("c", i));
    }
  }
  EXPECT_THAT(services_.get_sizes, ::testing::Each(kConflictsPerCallMax));
  for (const auto& [replica, closing] : services_.closings) {
    EXPECT_LE(closing.items_size(), kConflictsPerCallMax);
  }
  request.add_decisions();
  EXPECT_THAT(Ask(&Desk::DecideConflicts, Who("ada"), request).status(),
              HasReason(Reason::kTooLarge));
  EXPECT_EQ(
      Ask(&Desk::DecideConflicts, Who("ada"), sync::v1::DecideConflictsRequest())->results_size(),
      0);
}

TEST_F(DeskTest, WhoWasTooLateLearnsHowItWasClosed) {
  services_.Add("c1", "team");
  services_.close = [](const version::v1::CloseItem& item) {
    version::v1::CloseResult result;
    result.mutable_conflict()->set_conflict_id(item.conflict_id());
    result.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_EXPIRED);
    *result.mutable_error() = ErrorOf(MakeError(Reason::kPreconditionFailed, "it is closed"));
    return result;
  };
  const sync::v1::DecideResult result = Decide(Who("ada"), "c1");
  EXPECT_EQ(result.error().code(), "precondition_failed");
  EXPECT_EQ(result.conflict().state(), conflict::v1::CONFLICT_STATE_EXPIRED);
}

TEST_F(DeskTest, AServiceThatIsAwayIsUnavailable) {
  services_.Add("c1", "team");
  services_.failure = MakeError(Reason::kUnavailable, "away");
  const sync::v1::DecideResult result = Decide(Who("ada"), "c1");
  EXPECT_EQ(result.error().code(), "unavailable");
  EXPECT_TRUE(result.error().retryable());
  EXPECT_THAT(Assign(Who("ada"), "c1", "bo"), HasReason(Reason::kUnavailable));
  EXPECT_THAT(Ask(&Desk::ListConflicts, Who("ada"), sync::v1::ListConflictsRequest()).status(),
              HasReason(Reason::kUnavailable));
}

TEST_F(DeskTest, DecisionsCountAsOperations) {
  services_.Add("c1", "team");
  sync::v1::DecideConflictsRequest request;
  for (int i = 0; i < kDecisionsMax; ++i) request.add_decisions()->set_conflict_id("c1");
  ASSERT_OK(Ask(&Desk::DecideConflicts, Who("ada"), request));
  EXPECT_THAT(Ask(&Desk::DecideConflicts, Who("ada"), request).status(),
              HasReason(Reason::kRateLimited));
  ASSERT_OK(Ask(&Desk::DecideConflicts, Who("bo"), request));
}

TEST_F(DeskTest, AResolutionIsTakenBackByWhoeverMayWrite) {
  sync::v1::UndoResolutionRequest request;
  request.set_space("team");
  request.set_op_id("op-1");
  request.add_paths("/a");
  const auto undone = Ask(&Desk::UndoResolution, Who("ada"), request);
  ASSERT_OK(undone);
  EXPECT_EQ(undone->version_id(), "9-aa");
  EXPECT_EQ(undone->cursor(), entity::EncodeCursor({7, 3}));
  EXPECT_EQ(services_.undos.back().actor().user_id(), "ada");
  EXPECT_THAT(services_.undos.back().paths(), ElementsAre("/a"));
  EXPECT_THAT(Ask(&Desk::UndoResolution, Who("ada", Access::kRead), request).status(),
              HasReason(Reason::kForbidden));
  EXPECT_THAT(Ask(&Desk::UndoResolution, Who("ada", Access::kNone), request).status(),
              HasReason(Reason::kNotFound));
}

TEST_F(DeskTest, RecordsAreReadByWhoeverMayReadTheSpace) {
  sync::v1::ListResolutionsRequest request;
  request.set_space("team");
  ASSERT_OK(Ask(&Desk::ListResolutions, Who("ada", Access::kRead), request));
  EXPECT_THAT(Ask(&Desk::ListResolutions, Who("ada", Access::kNone), request).status(),
              HasReason(Reason::kNotFound));
  sync::v1::AnalyzeRequest analyze;
  analyze.mutable_query()->set_space("team");
  ASSERT_OK(Ask(&Desk::Analyze, Who("ada", Access::kRead), analyze));
  analyze.mutable_query()->clear_space();
  EXPECT_THAT(Ask(&Desk::Analyze, Who("ada"), analyze).status(), HasReason(Reason::kForbidden));
  ASSERT_OK(Ask(&Desk::Analyze, Who("root", Access::kNone, true), analyze));
  sync::v1::DryRunRequest run;
  run.set_space("team");
  run.set_records_max(5);
  EXPECT_EQ(Ask(&Desk::DryRun, Who("ada"), run)->report().records(), 5);
  EXPECT_THAT(Ask(&Desk::DryRun, Who("ada", Access::kRead), run).status(),
              HasReason(Reason::kForbidden));
  run.clear_space();
  EXPECT_THAT(Ask(&Desk::DryRun, Who("ada"), run).status(), HasReason(Reason::kForbidden));
}

TEST_F(DeskTest, RulesAreForAdministratorsAndTheirChangesAreLogged) {
  const auto admin = Who("root", Access::kNone, true);
  sync::v1::PutRuleSetRequest put;
  put.set_entity_type("note");
  put.set_rules("{}");
  put.set_expected_version(3);
  const auto stored = Ask(&Desk::PutRuleSet, admin, put);
  ASSERT_OK(stored);
  EXPECT_EQ(stored->rule_set().author(), "root");
  EXPECT_EQ(services_.puts.back().expected_version(), 3);
  EXPECT_EQ(Lines(log_, "rules are to be changed"), 1);
  put.set_validate_only(true);
  ASSERT_OK(Ask(&Desk::PutRuleSet, admin, put));
  EXPECT_TRUE(services_.puts.back().validate_only());
  EXPECT_EQ(Lines(log_, "rules are to be changed"), 1);
  sync::v1::RemoveRuleSetRequest remove;
  remove.set_entity_type("note");
  ASSERT_OK(Ask(&Desk::RemoveRuleSet, admin, remove));
  EXPECT_EQ(services_.removals.back().author(), "root");
  ASSERT_OK(Ask(&Desk::GetRuleSet, admin, sync::v1::GetRuleSetRequest()));
  ASSERT_OK(Ask(&Desk::ListRuleSets, admin, sync::v1::ListRuleSetsRequest()));
  const auto other = Who("ada");
  const auto refused = HasReason(Reason::kForbidden);
  EXPECT_THAT(Ask(&Desk::PutRuleSet, other, put).status(), refused);
  EXPECT_THAT(Ask(&Desk::RemoveRuleSet, other, remove).status(), refused);
  EXPECT_THAT(Ask(&Desk::GetRuleSet, other, sync::v1::GetRuleSetRequest()).status(), refused);
  EXPECT_THAT(Ask(&Desk::ListRuleSets, other, sync::v1::ListRuleSetsRequest()).status(), refused);
}

}  // namespace
}  // namespace bdcsync::gateway
