// Taking back, trying and counting records, over a real store.
#include "services/conflict/record_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/rules/script_rules.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/remote/fake_resolver_testing.h"
#include "services/conflict/resolve.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/storage/sqlite_analysis_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using testing::HasReason;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr char kRules[] = R"({"rules":[{"path":"$.list","rule":"keyed_list","key":"id"},
    {"path":"$.n","rule":"counter"}]})";

void Set(const std::string& data, v1::Side& side) {
  side.set_exists(!data.empty());
  side.set_data(data);
}

class RecordDeskTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(void (RecordDesk::*method)(const Request&,
                                                          DeskCalls::Answer<Response>),
                               const Request& request) {
    absl::StatusOr<Response> answer;
    absl::Notification done;
    (desk_.*method)(request, [&](absl::StatusOr<Response> got) {
      answer = std::move(got);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  // Resolves as the service does, and keeps the record.
  std::string Resolve(const std::string& op, const std::string& base, const std::string& theirs,
                      const std::string& ours) {
    v1::ResolveRequest request;
    v1::ResolveItem& item = *request.add_items();
    item.set_op_id(op);
    item.mutable_entity()->set_space("s");
    item.mutable_entity()->set_entity_type("note");
    item.mutable_entity()->set_entity_id("a");
    Set(base, *item.mutable_base());
    Set(theirs, *item.mutable_theirs());
    Set(ours, *item.mutable_ours());
    const ResolveLimits limits;
    const ResolveContext context{.limits = limits, .rules = *rules_};
    const v1::ResolveResult result = conflict::Resolve(request, context).response.results(0);
    EXPECT_FALSE(result.has_error()) << result.error().message();
    v1::Resolution record;
    record.set_op_id(op);
    *record.mutable_entity() = item.entity();
    record.set_time_ms(absl::ToUnixMillis(clock_.Now()));
    *record.mutable_decisions() = result.decisions();
    EXPECT_OK(records_->Put({.resolutions = {record}}));
    return result.merged().data();
  }
  absl::StatusOr<v1::PlanUndoResponse> Plan(const std::string& op, const std::string& resolved,
                                            const std::string& head,
                                            std::vector<std::string> paths = {}) {
    v1::PlanUndoRequest request;
    request.set_space("s");
    request.set_op_id(op);
    Set(resolved, *request.mutable_resolved());
    Set(head, *request.mutable_head());
    for (std::string& path : paths) request.add_paths(std::move(path));
    return Ask(&RecordDesk::PlanUndo, request);
  }
  absl::StatusOr<v1::DryRunResponse> Try(const std::string& rules, const std::string& space = "s",
                                         int records_max = 0) {
    v1::DryRunRequest request;
    request.set_entity_type("note");
    request.set_rules(rules);
    request.set_space(space);
    request.set_records_max(records_max);
    return Ask(&RecordDesk::DryRun, request);
  }

  testing::TempDir folder_;
  const std::string path_ = folder_.File("conflict.db");
  std::unique_ptr<ResolutionStorage> records_ = *OpenSqliteResolutionStorage(path_);
  std::unique_ptr<AnalysisStorage> analysis_ = *OpenSqliteAnalysisStorage(path_);
  ManualClock clock_{kNow};
  rpc::WorkerPool workers_{{.threads = 2}};
  const rules::LuaCompiler compiler_;
  const std::shared_ptr<const ActiveRules> rules_ = RulesOf({{"note", kRules}});
  FakeResolver resolver_;
  const RemoteAccess remote_{.resolver = resolver_, .clock = clock_};
  const absl::flat_hash_set<std::string> known_{"price"};
  const merge::RuleSetContext checks_{&compiler_, &known_};
  RecordDesk desk_{*records_, *analysis_, [this] { return rules_; }, checks_, remote_,
                   workers_,  clock_,     RecordDeskLimits()};
};

TEST_F(RecordDeskTest, AResolutionIsTakenBackAndWhatWasWrittenSinceStays) {
  const std::string resolved =
      Resolve("op", R"({"a":0,"b":0,"c":0})", R"({"a":1,"b":1,"c":0})", R"({"a":2,"b":2,"c":0})");
  EXPECT_EQ(resolved, R"({"a":2,"b":2,"c":0})");
  ASSERT_OK_AND_ASSIGN(auto plan, Plan("op", resolved, R"({"a":2,"b":2,"c":5})"));
  EXPECT_EQ(plan.merged().data(), R"({"a":1,"b":1,"c":5})");
  EXPECT_EQ(plan.entity().entity_id(), "a");
  EXPECT_EQ(plan.decisions_size(), 2);
  ASSERT_OK_AND_ASSIGN(plan, Plan("op", resolved, resolved, {"/b"}));
  EXPECT_EQ(plan.merged().data(), R"({"a":2,"b":1,"c":0})");
  EXPECT_EQ(PathOf(Plan("op", resolved, resolved, {"/z"}).status()), "/z");
}

TEST_F(RecordDeskTest, OnlyOnceAndOnlyWithinTheWindow) {
  const std::string resolved = Resolve("op", "0", "1", "2");
  EXPECT_THAT(Plan("none", resolved, resolved), HasReason(Reason::kNotFound));
  clock_.Advance(absl::Hours(24));
  EXPECT_OK(Plan("op", resolved, resolved));
  v1::RecordUndoneRequest undone;
  undone.set_space("s");
  undone.set_op_id("op");
  undone.set_user_id("ada");
  EXPECT_EQ(PathOf(Ask(&RecordDesk::RecordUndone, undone).status()), "version_id");
  undone.set_version_id("3-0000000000000003");
  EXPECT_OK(Ask(&RecordDesk::RecordUndone, undone));
  EXPECT_OK(Ask(&RecordDesk::RecordUndone, undone)) << "repeated";
  undone.set_version_id("4-0000000000000004");
  EXPECT_THAT(Ask(&RecordDesk::RecordUndone, undone), HasReason(Reason::kPreconditionFailed));
  EXPECT_THAT(Plan("op", resolved, resolved), HasReason(Reason::kPreconditionFailed));
  Resolve("later", "0", "1", "2");
  clock_.Advance(absl::Hours(24) + absl::Milliseconds(1));
  EXPECT_THAT(Plan("later", resolved, resolved), HasReason(Reason::kPreconditionFailed));
  undone.set_op_id("none");
  EXPECT_THAT(Ask(&RecordDesk::RecordUndone, undone), HasReason(Reason::kNotFound));
}

TEST_F(RecordDeskTest, AValueForTheWholeIsNotTriedAgainstPlacesThatWouldBeAskedAbout) {
  v1::Resolution record;
  record.set_op_id("close-1");
  record.mutable_entity()->set_space("s");
  record.mutable_entity()->set_entity_type("note");
  record.mutable_entity()->set_entity_id("a");
  record.set_time_ms(absl::ToUnixMillis(clock_.Now()));
  v1::Decision& decision = *record.add_decisions();
  decision.set_rule("ask");
  decision.set_kind("edit_edit");
  decision.set_base(R"({"a":0})");
  decision.set_theirs(R"({"a":1})");
  decision.set_ours(R"({"a":2})");
  decision.set_chosen("value");
  decision.set_result(R"({"all":"new"})");
  ASSERT_OK(records_->Put({.resolutions = {record}}));
  ASSERT_OK_AND_ASSIGN(const v1::DryRunResponse same,
                       Try(R"({"rules":[{"path":"$.a","rule":"ask"}]})"));
  EXPECT_EQ(same.records(), 1);
  EXPECT_EQ(same.changed(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::DryRunResponse other,
                       Try(R"({"rules":[{"path":"$.a","rule":"theirs"}]})"));
  EXPECT_EQ(other.changed(), 1);
  EXPECT_EQ(other.asked(), 0);
}

TEST_F(RecordDeskTest, ADryRunTellsWhatOtherRulesWouldDecide) {
  Resolve("1", R"({"a":0,"b":0})", R"({"a":1,"b":1})", R"({"a":2,"b":1})");
  Resolve("2", R"({"list":[{"id":7,"q":0}]})", R"({"list":[{"id":7,"q":1}]})",
          R"({"list":[{"id":7,"q":2}]})");
  ASSERT_OK_AND_ASSIGN(v1::DryRunResponse same, Try(kRules));
  EXPECT_EQ(same.records(), 2);
  EXPECT_EQ(same.decisions(), 2);
  EXPECT_EQ(same.changed(), 0) << same.ShortDebugString();
  ASSERT_OK_AND_ASSIGN(v1::DryRunResponse other, Try(R"({"rules":[{"path":"$.a","rule":"theirs"},
              {"path":"$.list","rule":"keyed_list","key":"id"},
              {"path":"$.list[*].q","rule":"ask"}]})"));
  EXPECT_EQ(other.changed(), 2);
  EXPECT_EQ(other.asked(), 1);
  ASSERT_EQ(other.changes_size(), 2);
  EXPECT_EQ(other.changes(0).op_id(), "2") << "the newest first";
  EXPECT_EQ(other.changes(0).tried().path(), "/list/id=7/q");
  EXPECT_EQ(other.changes(0).tried().chosen(), "");
  EXPECT_EQ(other.changes(1).recorded().chosen(), "ours");
  EXPECT_EQ(other.changes(1).tried().chosen(), "theirs");
  ASSERT_OK_AND_ASSIGN(const v1::DryRunResponse newest, Try(kRules, "", 1));
  EXPECT_EQ(newest.records(), 1);
  ASSERT_OK_AND_ASSIGN(const v1::DryRunResponse elsewhere, Try(kRules, "t"));
  EXPECT_EQ(elsewhere.records(), 0);
}

TEST_F(RecordDeskTest, WhatCannotBeTriedOrCountedIsRefusedWithItsPlace) {
  EXPECT_EQ(PathOf(Try("{").status()), "rules");
  EXPECT_EQ(PathOf(Try(R"({"rules":[{"path":"$","rule":"max","else":"none"}]})").status()),
            "/rules/0/else/rule");
  EXPECT_EQ(PathOf(Try(kRules, "s", kDryRunRecordsMax + 1).status()), "records_max");
  EXPECT_OK(Try(kRules, "s", kDryRunRecordsMax));
  const auto refused = [&](auto change) {
    v1::AnalyzeRequest request;
    change(request);
    return PathOf(Ask(&RecordDesk::Analyze, request).status());
  };
  EXPECT_EQ(refused([](auto& r) { r.set_limit(kAnalyzeGroupsMax + 1); }), "limit");
  EXPECT_EQ(refused([](auto& r) { r.set_limit(-1); }), "limit");
  EXPECT_EQ(refused([](auto& r) { r.set_bucket_ms(kAnalyzeBucketMinMs - 1); }), "bucket_ms");
  EXPECT_EQ(refused([](auto& r) { r.set_from_ms(-1); }), "from_ms");
  EXPECT_EQ(refused([](auto& r) {
              r.set_from_ms(2);
              r.set_to_ms(1);
            }),
            "to_ms");
  EXPECT_EQ(refused([](auto& r) { r.set_by(static_cast<v1::AnalyzeDimension>(99)); }), "by");
  EXPECT_EQ(refused([](auto& r) { r.set_limit(kAnalyzeGroupsMax); }), "");
}

TEST_F(RecordDeskTest, TimesOfGroupsAreWrittenForPeople) {
  Resolve("1", "0", "1", "2");
  v1::AnalyzeRequest request;
  request.set_space("s");
  request.set_by(v1::ANALYZE_DIMENSION_TIME);
  ASSERT_OK_AND_ASSIGN(const auto response, Ask(&RecordDesk::Analyze, request));
  ASSERT_EQ(response.groups_size(), 1);
  EXPECT_EQ(response.groups(0).key(), "2023-11-14T22:00:00+00:00");
  EXPECT_EQ(response.groups(0).automatic(), 1);
  EXPECT_EQ(response.total().automatic(), 1);
  EXPECT_EQ(response.counted_from_ms(), 0);
}

}  // namespace
}  // namespace bdcsync::conflict
