// The service as others meet it: over gRPC, on both stores.
#include "services/conflict/module.h"

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/app/app.h"
#include "libs/app/context.h"
#include "libs/metrics/registry.h"
#include "libs/rpc/unary.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {
namespace {

using ::bdcsync::testing::HasReason;
using Stub = v1::ConflictService::StubInterface;

class ModuleTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    app::Modules modules = app::MakeModules(MakeModule());
    ASSERT_OK_AND_ASSIGN(config::Values values, app::TestValues(modules, folder_.path(), settings));
    ASSERT_OK_AND_ASSIGN(app_, app::App::Start(std::move(modules), std::move(values)));
    stub_ = v1::ConflictService::NewStub(app_->channel());
  }
  void Restart(const std::vector<std::pair<std::string, std::string>>& settings) {
    stub_.reset();
    app_.reset();
    Start(settings);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    return rpc::Call<Stub>(*stub_, method, request, rpc::CallOptions());
  }
  absl::StatusOr<v1::ResolveResponse> Meet(const std::string& ours) {
    v1::ResolveRequest request;
    v1::ResolveItem& item = *request.add_items();
    item.set_op_id("op");
    item.mutable_entity()->set_space("s");
    item.mutable_entity()->set_entity_type("note");
    item.mutable_entity()->set_entity_id("a");
    for (auto [side, data] : {std::pair(item.mutable_base(), std::string("1")),
                              std::pair(item.mutable_theirs(), std::string("2")),
                              std::pair(item.mutable_ours(), ours)}) {
      side->set_exists(true);
      side->set_data(data);
    }
    return Call(&Stub::Resolve, request);
  }
  absl::StatusOr<v1::ListResolutionsResponse> List() {
    v1::ListResolutionsRequest request;
    request.set_space("s");
    return Call(&Stub::ListResolutions, request);
  }
  void RecordAndReopen(const std::vector<std::pair<std::string, std::string>>& settings) {
    ASSERT_NO_FATAL_FAILURE(Start(settings));
    ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Meet("3"));
    EXPECT_EQ(response.results(0).merged().data(), "3");
    ASSERT_NO_FATAL_FAILURE(Restart(settings));
    ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List());
    ASSERT_EQ(page.resolutions_size(), 1);
    EXPECT_EQ(page.resolutions(0).decisions(0).theirs(), "2");
  }

  void FollowRulesAndReopen(const std::vector<std::pair<std::string, std::string>>& settings) {
    ASSERT_NO_FATAL_FAILURE(Start(settings));
    v1::PutRuleSetRequest put;
    put.set_entity_type("note");
    put.set_author("ada");
    put.set_rules(
        R"({"rules":[{"path":"$","rule":"script","script":"return theirs * 10 + ours"}]})");
    ASSERT_OK(Call(&Stub::PutRuleSet, put));
    EXPECT_EQ(Meet("3")->results(0).merged().data(), "23");
    ASSERT_NO_FATAL_FAILURE(Restart(settings));
    EXPECT_EQ(Meet("4")->results(0).merged().data(), "24");
    v1::ListRuleSetsRequest list;
    ASSERT_OK_AND_ASSIGN(const v1::ListRuleSetsResponse page, Call(&Stub::ListRuleSets, list));
    ASSERT_EQ(page.rule_sets_size(), 1);
    EXPECT_EQ(page.rule_sets(0).rules(), put.rules());
    v1::RemoveRuleSetRequest remove;
    remove.set_entity_type("note");
    ASSERT_OK(Call(&Stub::RemoveRuleSet, remove));
    EXPECT_EQ(Meet("3")->results(0).merged().data(), "3");
  }

  testing::TempDir folder_;
  std::unique_ptr<app::App> app_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(ModuleTest, RecordsSurviveARestartOnSqlite) { RecordAndReopen({}); }

TEST_F(ModuleTest, RecordsSurviveARestartOnPostgres) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  RecordAndReopen({{"storage.url", database->url()}});
  app_.reset();
}

// Opens as version would, and looks at it as people and the worker do.
TEST_F(ModuleTest, TheDeskIsThereOnBothStores) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  for (const std::string& url : {std::string("sqlite:"), database->url()}) {
    ASSERT_NO_FATAL_FAILURE(Restart({{"storage.url", url}}));
    const std::string id(32, 'a');
    v1::PutRuleSetRequest rules;
    rules.set_entity_type("note");
    rules.set_rules(R"({"rules":[{"path":"$","rule":"ask"}]})");
    rules.set_author("ada");
    ASSERT_OK(Call(&Stub::PutRuleSet, rules));
    v1::RecordFactsRequest facts;
    v1::Conflict& conflict = *facts.add_facts()->mutable_conflict();
    conflict.set_conflict_id(id);
    conflict.set_state(v1::CONFLICT_STATE_OPEN);
    conflict.set_opened_ms(1);
    conflict.set_deadline_ms(2);
    conflict.mutable_entity()->set_space("s");
    conflict.mutable_entity()->set_entity_type("note");
    conflict.mutable_entity()->set_entity_id("a");
    conflict.add_places()->mutable_decision()->set_path("");
    ASSERT_OK(Call(&Stub::RecordFacts, facts));
    v1::ListConflictsRequest list;
    list.set_space("s");
    ASSERT_OK_AND_ASSIGN(const auto page, Call(&Stub::ListConflicts, list));
    EXPECT_EQ(page.conflicts_size(), 1);
    ASSERT_OK_AND_ASSIGN(const auto due, Call(&Stub::ListDue, v1::ListDueRequest()));
    ASSERT_EQ(due.due_size(), 1);
    EXPECT_EQ(due.due(0).reason(), v1::DUE_REASON_DEADLINE);
    v1::AssignRequest assign;
    assign.set_conflict_id(id);
    assign.set_user_id("ada");
    ASSERT_OK(Call(&Stub::Assign, assign));
    v1::DecideRequest decide;
    decide.add_items()->set_conflict_id(id);
    for (auto [side, data] : {std::pair(decide.mutable_items(0)->mutable_base(), "1"),
                              std::pair(decide.mutable_items(0)->mutable_theirs(), "2"),
                              std::pair(decide.mutable_items(0)->mutable_ours(), "3")}) {
      side->set_exists(true);
      side->set_data(data);
    }
    decide.mutable_items(0)->add_choices()->set_choice("theirs");
    ASSERT_OK_AND_ASSIGN(const auto decided, Call(&Stub::Decide, decide));
    EXPECT_EQ(decided.results(0).merged().data(), "2");
    conflict.set_state(v1::CONFLICT_STATE_EXPIRED);
    ASSERT_OK(Call(&Stub::RecordFacts, facts));
    v1::GetConflictsRequest get;
    get.add_conflict_ids(id);
    ASSERT_OK_AND_ASSIGN(const auto got, Call(&Stub::GetConflicts, get));
    EXPECT_EQ(got.conflicts(0).conflict().state(), v1::CONFLICT_STATE_EXPIRED);
    EXPECT_EQ(got.conflicts(0).conflict().assigned_to(), "ada");
    const std::string metrics = app_->context().metrics().Render();
    EXPECT_NE(metrics.find("bdcsync_conflict_closings_total{state=\"expired\"} 1\n"),
              std::string::npos);
  }
  app_.reset();
}

TEST_F(ModuleTest, RefusalsKeepTheirReasonAndFieldOverTheWire) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Meet("{"));
  EXPECT_EQ(response.results(0).error().path(), "ours");
  v1::ResolveRequest many;
  for (int i = 0; i <= kResolveItemsMax; ++i) many.add_items();
  EXPECT_THAT(Call(&Stub::Resolve, many), HasReason(Reason::kInvalidArgument));
  v1::ListResolutionsRequest list;
  EXPECT_EQ(PathOf(Call(&Stub::ListResolutions, list).status()), "space");
}

TEST_F(ModuleTest, RuleSetsAreFollowedAndSurviveARestartOnSqlite) { FollowRulesAndReopen({}); }

TEST_F(ModuleTest, RuleSetsAreFollowedAndSurviveARestartOnPostgres) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  FollowRulesAndReopen({{"storage.url", database->url()}});
  app_.reset();
}

TEST_F(ModuleTest, MistakesInRulesKeepTheirPlaceOverTheWire) {
  ASSERT_NO_FATAL_FAILURE(Start());
  v1::PutRuleSetRequest put;
  put.set_entity_type("note");
  put.set_rules(R"({"rules":[{"path":"$","rule":"script","script":"return +"}]})");
  const absl::Status status = Call(&Stub::PutRuleSet, put).status();
  EXPECT_THAT(status, HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(PathOf(status), "/rules/0/script");
  v1::GetRuleSetRequest get;
  get.set_entity_type("note");
  EXPECT_THAT(Call(&Stub::GetRuleSet, get), HasReason(Reason::kNotFound));
}

TEST_F(ModuleTest, TheRulesFileHoldsFromTheStart) {
  const std::string file = folder_.File("rules.yaml");
  std::ofstream(file) << "note: {rules: [], else: theirs}";
  ASSERT_NO_FATAL_FAILURE(Start({{"conflict.rules_file", file}}));
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Meet("3"));
  EXPECT_EQ(response.results(0).merged().data(), "2");
}

TEST_F(ModuleTest, AnUnknownStoreIsRefusedAtStart) {
  app::Modules modules = app::MakeModules(MakeModule());
  ASSERT_OK_AND_ASSIGN(config::Values values,
                       app::TestValues(modules, folder_.path(), {{"storage.url", "mongodb://x"}}));
  EXPECT_THAT(app::App::Start(std::move(modules), std::move(values)),
              testing::StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ModuleTest, WithoutItsDatabaseItDecidesNothingAndIsNotReady) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  ASSERT_NO_FATAL_FAILURE(Start({{"storage.url", database->url()}}));
  while (!app_->Readiness().ok()) std::this_thread::yield();  // The test's own time limit ends it.
  ASSERT_OK(database->AllowConnections(false));
  ASSERT_OK(database->CutConnections());
  EXPECT_THAT(Meet("3"), HasReason(Reason::kUnavailable));
  while (app_->Readiness().ok()) std::this_thread::yield();
  ASSERT_OK(database->AllowConnections(true));
  while (!app_->Readiness().ok()) std::this_thread::yield();
  EXPECT_OK(Meet("3"));
  app_.reset();
}

TEST_F(ModuleTest, MeetingsAndDecisionsAreCounted) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(Meet("3"));
  ASSERT_OK(Meet("{"));
  const std::string metrics = app_->context().metrics().Render();
  for (const char* line : {"bdcsync_conflict_meetings_total{kind=\"overlap\"} 1\n",
                           "bdcsync_conflict_meetings_total{kind=\"refused\"} 1\n",
                           "bdcsync_conflict_decisions_total{rule=\"lww\"} 1\n",
                           "bdcsync_conflict_record_batch_items_count 1\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
}

}  // namespace
}  // namespace bdcsync::conflict
