// `conflicts`, `resolve` and `rules` against a desk that answers as told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/fake_sync_client.h"
#include "clients/cli/run.h"
#include "clients/cli/token_source.h"
#include "libs/base/errors.h"

namespace bdcsync::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kId[] = "0f2b7c64a91d4e0f8a5c3d2e1b6f7a90";

conflict::v1::Conflict Open(const std::string& id = kId) {
  conflict::v1::Conflict conflict;
  conflict.set_conflict_id(id);
  conflict.mutable_entity()->set_space("team");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("n1");
  conflict.set_state(conflict::v1::CONFLICT_STATE_OPEN);
  conflict.set_user_id("ada");
  conflict.set_device_id("phone");
  conflict.set_opened_ms(1'700'000'000'000);
  conflict.set_deadline_ms(1'700'000'060'000);
  conflict::v1::OpenPlace& place = *conflict.add_places();
  place.mutable_decision()->set_path("/title");
  place.mutable_decision()->set_kind("edit_delete");
  place.mutable_decision()->set_base("\"old\"");
  place.mutable_decision()->set_ours("\"mine\"");
  place.set_fallback("theirs");
  return conflict;
}

class DeskCommandsTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& words, const std::string& input = "") {
    std::istringstream in(input);
    out_.str("");
    err_.str("");
    const Environment environment{variables_,           in, out_, err_, clock_, random_,
                                  [](absl::Duration) {}};
    return RunCommandLine(words, environment, [this](SyncClientOptions) {
      return absl::StatusOr<std::unique_ptr<SyncClient>>(std::make_unique<Borrowed>(server_));
    });
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  v1::DecideResult& AddResult() {
    v1::DecideResult& result = *desk_.decide_conflicts_answer->add_results();
    *result.mutable_conflict() = Open();
    result.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_RESOLVED);
    result.set_version_id("3-dd");
    return result;
  }

  std::map<std::string, std::string> variables_;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{7};
  std::ostringstream out_;
  std::ostringstream err_;
  FakeSyncClient server_;
  FakeDeskClient& desk_ = server_.fake_desk;
};

TEST_F(DeskCommandsTest, OpenConflictsAreListed) {
  *desk_.list_conflicts_answer->add_conflicts() = Open();
  EXPECT_EQ(Run({"conflicts", "--space", "team", "--type", "note", "--assigned", "bo"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr(kId), HasSubstr("note/n1"), HasSubstr("ada"),
                           HasSubstr("anybody"), HasSubstr("/title")));
  const v1::ListConflictsRequest& asked = desk_.list_conflicts_requests.back();
  EXPECT_EQ(asked.space(), "team");
  EXPECT_EQ(asked.entity_type(), "note");
  EXPECT_EQ(asked.assigned_to(), "bo");
  EXPECT_THAT(asked.states(), IsEmpty());
  EXPECT_EQ(Run({"conflicts", "list", "--status", "expired", "--json"}), 0);
  EXPECT_THAT(out(), HasSubstr(R"("paths":[{"path":"/title","kind":"edit_delete","base":"old",)"
                               R"("ours":"mine","fallback":"theirs"}])"));
  EXPECT_THAT(desk_.list_conflicts_requests.back().states(),
              ElementsAre(conflict::v1::CONFLICT_STATE_EXPIRED));
  desk_.list_conflicts_answer->clear_conflicts();
  EXPECT_EQ(Run({"conflicts"}), 0);
  EXPECT_EQ(out(), "no conflicts\n");
}

TEST_F(DeskCommandsTest, AConflictIsShownWithItsSidesBesideEachOther) {
  version::v1::ConflictView& view = *desk_.get_conflict_answer->mutable_view();
  *view.mutable_conflict() = Open();
  view.mutable_theirs()->set_version_id("2-bb");
  view.mutable_theirs()->set_data("{}");
  view.mutable_proposed()->set_exists(true);
  view.mutable_proposed()->set_data(R"({"title":"mine"})");
  view.add_notes()->set_path("/price");
  view.mutable_notes(0)->set_note("remote price: deadline");
  EXPECT_EQ(Run({"conflicts", "show", kId}), 0);
  EXPECT_THAT(out(), HasSubstr("/title  edit_delete; at the deadline: theirs\n"
                               "  BASE   THEIRS     OURS\n"
                               "  \"old\"  (nothing)  \"mine\"\n"));
  EXPECT_THAT(out(), HasSubstr("proposed:\n{\n"));
  EXPECT_THAT(out(), HasSubstr("the else stands in at /price: remote price: deadline"));
  EXPECT_EQ(Run({"conflicts", "show", kId, "--json"}), 0);
  EXPECT_THAT(out(), HasSubstr(R"("proposed":{"deleted":false,"data":{"title":"mine"}})"));
}

TEST_F(DeskCommandsTest, TextFromOthersCannotSteerTheTerminal) {
  version::v1::ConflictView& view = *desk_.get_conflict_answer->mutable_view();
  *view.mutable_conflict() = Open();
  view.mutable_conflict()->set_device_id("\x1b[31mred");
  EXPECT_EQ(Run({"conflicts", "show", kId}), 0);
  EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(DeskCommandsTest, AConflictIsAssignedAndGivenUp) {
  *desk_.assign_conflict_answer->mutable_conflict() = Open();
  desk_.assign_conflict_answer->mutable_conflict()->set_assigned_to("bo");
  EXPECT_EQ(Run({"conflicts", "assign", kId, "bo"}), 0);
  EXPECT_EQ(desk_.assign_conflict_requests.back().user_id(), "bo");
  EXPECT_THAT(out(), HasSubstr("bo"));
  EXPECT_EQ(Run({"conflicts", "assign", kId}), 0);
  EXPECT_EQ(desk_.assign_conflict_requests.back().user_id(), "");
  EXPECT_EQ(Run({"conflicts", "cancel", kId}), 0);
  EXPECT_EQ(desk_.cancel_conflict_requests.back().conflict_id(), kId);
}

TEST_F(DeskCommandsTest, ADecisionTakesAChoicePathsAndAValue) {
  AddResult();
  EXPECT_EQ(Run({"resolve", kId, "--choice", "ours", "--path", "/a", "--path", "/b"}), 0);
  const v1::ConflictDecision* decision = &desk_.decide_conflicts_requests.back().decisions(0);
  EXPECT_EQ(decision->conflict_id(), kId);
  EXPECT_EQ(decision->choices(0).choice(), "ours");
  EXPECT_THAT(decision->choices(0).paths(), ElementsAre("/a", "/b"));
  EXPECT_EQ(out(), std::string(kId) + "  resolved  note/n1  version 3-dd\n");
  EXPECT_EQ(Run({"resolve", kId, "--value", R"({"n": 1.10})", "--json"}), 0);
  decision = &desk_.decide_conflicts_requests.back().decisions(0);
  EXPECT_EQ(decision->choices(0).choice(), "value");
  EXPECT_EQ(decision->choices(0).value(), R"({"n": 1.10})");
  EXPECT_THAT(out(), HasSubstr(R"("success":true,"status":"resolved","version_id":"3-dd")"));
}

TEST_F(DeskCommandsTest, ARefusedDecisionSaysHowItWasClosedAndFails) {
  v1::DecideResult& result = AddResult();
  result.mutable_error()->set_code("precondition_failed");
  result.mutable_error()->set_message("it is closed");
  result.mutable_conflict()->set_closed_by("bo");
  EXPECT_EQ(Run({"resolve", kId, "--choice", "ours"}), 1);
  EXPECT_EQ(err(),
            std::string(kId) + "  precondition_failed: it is closed (it is resolved by bo)\n");
}

TEST_F(DeskCommandsTest, AllOfATypeAreDecidedAtOnce) {
  for (int i = 0; i < 2000; ++i) {
    *desk_.list_conflicts_answer->add_conflicts() = Open("c" + std::to_string(i));
  }
  for (int i = 0; i < 1000; ++i) AddResult();
  EXPECT_EQ(Run({"resolve", "--all-of", "note", "--space", "team", "--choice", "proposed"}), 0);
  EXPECT_EQ(desk_.list_conflicts_requests.back().entity_type(), "note");
  ASSERT_THAT(desk_.decide_conflicts_requests, SizeIs(2));
  EXPECT_EQ(desk_.decide_conflicts_requests[0].decisions_size(), 1000);
  EXPECT_EQ(desk_.decide_conflicts_requests[1].decisions(999).conflict_id(), "c1999");
}

TEST_F(DeskCommandsTest, APreviewDecidesNothing) {
  version::v1::ConflictView& view = *desk_.get_conflict_answer->mutable_view();
  *view.mutable_conflict() = Open();
  view.mutable_preview()->set_exists(true);
  view.mutable_preview()->set_data(R"({"title":"mine"})");
  view.add_open()->mutable_decision()->set_path("/body");
  EXPECT_EQ(Run({"resolve", kId, "--choice", "ours", "--path", "/title", "--preview"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("note/n1 would be:\n"), HasSubstr("\"mine\""),
                           HasSubstr("still open: /body\n")));
  EXPECT_EQ(desk_.get_conflict_requests.back().choices(0).choice(), "ours");
  EXPECT_THAT(desk_.decide_conflicts_requests, IsEmpty());
}

TEST_F(DeskCommandsTest, RecordsAreShownAndUndone) {
  conflict::v1::Resolution& record = *desk_.list_resolutions_answer->add_resolutions();
  record.set_op_id("op-1");
  record.mutable_entity()->set_entity_type("note");
  record.mutable_entity()->set_entity_id("n1");
  record.add_decisions()->set_path("/title");
  record.mutable_decisions(0)->set_rule("lww");
  record.mutable_decisions(0)->set_chosen("ours");
  record.mutable_decisions(0)->set_close_call(true);
  EXPECT_EQ(Run({"conflicts", "records", "--space", "team"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("op-1"), HasSubstr("lww"), HasSubstr("ours (close)")));
  desk_.undo_resolution_answer->set_version_id("4-ee");
  desk_.undo_resolution_answer->mutable_entity()->set_entity_type("note");
  desk_.undo_resolution_answer->mutable_entity()->set_entity_id("n1");
  desk_.undo_resolution_answer->set_data("{}");
  EXPECT_EQ(Run({"conflicts", "undo", "op-1", "--path", "/title"}), 0);
  EXPECT_EQ(desk_.undo_resolution_requests.back().op_id(), "op-1");
  EXPECT_THAT(desk_.undo_resolution_requests.back().paths(), ElementsAre("/title"));
  EXPECT_EQ(out(), "undone  note/n1  version 4-ee\n{}\n");
  EXPECT_EQ(Run({"conflicts", "undo", kId}), 0);
  EXPECT_EQ(desk_.undo_resolution_requests.back().op_id(), std::string("close-") + kId);
}

// As the identifiers of operations are in many languages: a UUID without its dashes.
TEST_F(DeskCommandsTest, AnOperationThatIsNamedLikeAConflictIsUndone) {
  desk_.undo_resolution_answer = MakeError(Reason::kNotFound, "there is no such resolution");
  EXPECT_EQ(Run({"conflicts", "undo", kId, "--path", "/title"}), 1);
  ASSERT_EQ(desk_.undo_resolution_requests.size(), 2u);
  EXPECT_EQ(desk_.undo_resolution_requests[1].op_id(), kId);
  EXPECT_THAT(desk_.undo_resolution_requests[1].paths(), ElementsAre("/title"));
  EXPECT_EQ(Run({"conflicts", "undo", "op-1"}), 1);
  EXPECT_EQ(desk_.undo_resolution_requests.size(), 3u);
}

TEST_F(DeskCommandsTest, StatsCountByWhatIsAsked) {
  conflict::v1::AnalyzeResponse& report = *desk_.analyze_answer->mutable_report();
  report.add_groups()->set_key("/title");
  report.mutable_groups(0)->set_asked(7);
  report.mutable_groups(0)->set_resolve_p50_ms(90'000);
  report.mutable_total()->set_asked(9);
  EXPECT_EQ(Run({"conflicts", "stats", "--space", "team", "--by", "path", "--since", "24h"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("/title"), HasSubstr("1m30s"), HasSubstr("(all)")));
  const conflict::v1::AnalyzeRequest& query = desk_.analyze_requests.back().query();
  EXPECT_EQ(query.by(), conflict::v1::ANALYZE_DIMENSION_PATH);
  EXPECT_EQ(query.space(), "team");
  EXPECT_EQ(query.from_ms(), 1'700'000'000'000 - 24 * 3'600'000);
  EXPECT_EQ(Run({"conflicts", "stats", "--everywhere", "--json"}), 0);
  EXPECT_THAT(out(), HasSubstr(R"("asked":7)"));
  EXPECT_EQ(desk_.analyze_requests.back().query().space(), "");
}

TEST_F(DeskCommandsTest, AGroupWithoutANameIsNotTheTotal) {
  conflict::v1::AnalyzeResponse& report = *desk_.analyze_answer->mutable_report();
  report.add_groups()->set_asked(7);
  report.mutable_total()->set_asked(7);
  EXPECT_EQ(Run({"conflicts", "stats", "--everywhere", "--by", "device"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("\n(none) "), HasSubstr("\n(all) ")));
  EXPECT_EQ(Run({"conflicts", "stats", "--everywhere", "--by", "all"}), 0);
  EXPECT_THAT(out(), AllOf(Not(HasSubstr("(none)")), HasSubstr("\n(all) ")));
}

TEST_F(DeskCommandsTest, CountsAndTrialsAreAboutYourOwnSpaceWhenNoneIsNamed) {
  TokenClaims claims;
  claims.user = "ada";
  variables_["BDC_SYNC_TOKEN"] = MintToken(claims, clock_.Now(), absl::Hours(1), "secret");
  EXPECT_EQ(Run({"conflicts", "stats"}), 0);
  EXPECT_EQ(desk_.analyze_requests.back().query().space(), "user:ada");
  EXPECT_EQ(Run({"rules", "try", "note", "-"}, "[]"), 0);
  EXPECT_EQ(desk_.dry_run_requests.back().space(), "user:ada");
  EXPECT_EQ(Run({"rules", "try", "note", "-", "--everywhere"}, "[]"), 0);
  EXPECT_EQ(desk_.dry_run_requests.back().space(), "");
  for (const char* opaque : {"opaque", "a.b.c", "a.e30.c"}) {
    variables_["BDC_SYNC_TOKEN"] = opaque;
    EXPECT_EQ(Run({"conflicts", "stats"}), 2) << opaque;
    EXPECT_THAT(err(), HasSubstr("--everywhere"));
  }
}

TEST_F(DeskCommandsTest, RulesAreStoredShownAndRemoved) {
  conflict::v1::RuleSet& stored = *desk_.put_rule_set_answer->mutable_rule_set();
  stored.set_version(3);
  EXPECT_EQ(Run({"rules", "put", "note", "-", "--expected", "2"}, R"({"else": "ask"})"), 0);
  EXPECT_EQ(out(), "version 3 of the rules of note holds\n");
  const v1::PutRuleSetRequest& put = desk_.put_rule_set_requests.back();
  EXPECT_EQ(put.entity_type(), "note");
  EXPECT_EQ(put.rules(), R"({"else": "ask"})");
  EXPECT_EQ(put.expected_version(), 2);
  EXPECT_FALSE(put.validate_only());
  EXPECT_EQ(Run({"rules", "check", "-"}, "{}"), 0);
  EXPECT_TRUE(desk_.put_rule_set_requests.back().validate_only());
  desk_.get_rule_set_answer->mutable_rule_set()->set_rules(R"({"else":"ask"})");
  EXPECT_EQ(Run({"rules", "show", "note", "--version", "2"}), 0);
  EXPECT_THAT(out(), HasSubstr("\"else\": \"ask\""));
  EXPECT_EQ(desk_.get_rule_set_requests.back().version(), 2);
  *desk_.list_rule_sets_answer->add_rule_sets() = stored;
  EXPECT_EQ(Run({"rules"}), 0);
  EXPECT_THAT(out(), HasSubstr("VERSION"));
  EXPECT_EQ(Run({"rules", "remove", "note"}), 0);
  EXPECT_EQ(out(), "the defaults hold for note\n");
}

TEST_F(DeskCommandsTest, WrongRulesNameThePlace) {
  desk_.put_rule_set_answer =
      MakeErrorAt(Reason::kInvalidArgument, "/rules/3/else", "no such rule");
  EXPECT_EQ(Run({"rules", "check", "-"}, "{}"), 1);
  EXPECT_THAT(err(), AllOf(HasSubstr("no such rule"), HasSubstr("at /rules/3/else")));
  desk_.put_rule_set_answer =
      MakeErrorAt(Reason::kInvalidArgument, "/rules/3/else", "/rules/3/else: no such rule");
  EXPECT_EQ(Run({"rules", "check", "-"}, "{}"), 1);
  EXPECT_EQ(err(), "bdc-sync rules: invalid_argument: /rules/3/else: no such rule\n");
}

TEST_F(DeskCommandsTest, RulesAreTriedOnRecords) {
  conflict::v1::DryRunResponse& report = *desk_.dry_run_answer->mutable_report();
  report.set_records(10);
  report.set_changed(1);
  conflict::v1::DryRunChange& change = *report.add_changes();
  change.mutable_recorded()->set_path("/title");
  change.mutable_recorded()->set_chosen("ours");
  change.set_note("remote price: deadline");
  report.set_remote(4);
  report.set_stood_in(2);
  EXPECT_EQ(Run({"rules", "try", "note", "-", "--space", "team", "--records", "10"}, "{}"), 0);
  EXPECT_EQ(desk_.dry_run_requests.back().records_max(), 10);
  EXPECT_EQ(desk_.dry_run_requests.back().space(), "team");
  EXPECT_THAT(out(),
              AllOf(HasSubstr("10 records"), HasSubstr("1 would be others"), HasSubstr("asked")));
  EXPECT_THAT(out(), AllOf(HasSubstr("4 places were asked about"), HasSubstr("of 2 decisions"),
                           HasSubstr("remote price: deadline")));
}

TEST_F(DeskCommandsTest, WrongCommandLinesAreRefusedBeforeAnythingHappens) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"conflicts", "view"},
           {"conflicts", "show"},
           {"conflicts", "assign"},
           {"conflicts", "list", "x"},
           {"conflicts", "--status", "closed"},
           {"conflicts", "--limit", "0"},
           {"conflicts", "stats", "--everywhere", "--by", "colour"},
           {"conflicts", "stats", "--everywhere", "--since", "soon"},
           {"resolve", "--choice", "ours"},
           {"resolve", kId},
           {"resolve", kId, "--choice", "mine"},
           {"resolve", kId, "--choice", "value"},
           {"resolve", kId, "--choice", "ours", "--value", "1"},
           {"resolve", kId, "--value", "{"},
           {"resolve", kId, "--all-of", "note", "--choice", "ours"},
           {"rules", "set"},
           {"rules", "put", "note"},
           {"rules", "put", "note", "/nowhere/at/all.json"},
           {"rules", "check", "-"}}) {
    EXPECT_EQ(Run(words, "not json"), 2) << ::testing::PrintToString(words);
  }
  variables_["BDC_SYNC_JWT_SECRET_FILE"] = "/nowhere/at/all";  // Whose space is not known then.
  EXPECT_EQ(Run({"conflicts", "stats"}), 2);
  EXPECT_THAT(desk_.list_conflicts_requests, IsEmpty());
  EXPECT_THAT(desk_.decide_conflicts_requests, IsEmpty());
  EXPECT_THAT(desk_.put_rule_set_requests, IsEmpty());
}

}  // namespace
}  // namespace bdcsync::cli
