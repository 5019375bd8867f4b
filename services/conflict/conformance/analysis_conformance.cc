// Counting, as a part of the suite of every store: both give the same answers.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/conformance/desk_storage_conformance.h"

namespace bdcsync::conflict {
namespace {

constexpr int64_t kMinuteMs = 60'000;

struct Record {
  std::string op;
  int64_t time_ms = 0;
  std::string type = "note";
  std::string device = "phone";
  std::string app = "1";
  std::string space = "s";
};

v1::Resolution Resolution(const Record& record,
                          std::vector<std::pair<std::string, std::string>> places) {
  v1::Resolution resolution;
  resolution.set_op_id(record.op);
  resolution.mutable_entity()->set_space(record.space);
  resolution.mutable_entity()->set_entity_type(record.type);
  resolution.mutable_entity()->set_entity_id("x");
  resolution.set_time_ms(record.time_ms);
  resolution.set_device_id(record.device);
  resolution.set_app_version(record.app);
  for (auto& [path, rule] : places) {
    v1::Decision& decision = *resolution.add_decisions();
    decision.set_path(path);
    decision.set_rule(rule);
  }
  return resolution;
}

v1::Conflict Conflict(const std::string& letter, int64_t opened_ms, v1::ConflictState state,
                      int64_t wait_ms) {
  v1::Conflict conflict;
  conflict.set_conflict_id(letter + std::string(31, '0'));
  conflict.mutable_entity()->set_space("s");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("x");
  conflict.set_state(state);
  conflict.set_device_id("phone");
  conflict.set_app_version("2");
  conflict.set_opened_ms(opened_ms);
  if (state > v1::CONFLICT_STATE_ASSIGNED) conflict.set_closed_ms(opened_ms + wait_ms);
  for (const char* path : {"/a", "/list/id=1/b", "/list/id=2/b"}) {
    v1::Decision& decision = *conflict.add_places()->mutable_decision();
    decision.set_path(path);
    decision.set_rule("ask");
  }
  return conflict;
}

std::string Text(const absl::StatusOr<std::vector<v1::AnalyzeGroup>>& groups) {
  EXPECT_OK(groups);
  std::string text;
  if (!groups.ok()) return text;
  for (const v1::AnalyzeGroup& group : *groups) {
    absl::StrAppend(&text, group.key(), ": ", group.automatic(), " ", group.asked(), " ",
                    group.resolved(), " ", group.expired(), " ", group.reversed(), " p ",
                    group.resolve_p50_ms(), " ", group.resolve_p90_ms(), " ",
                    group.resolve_p99_ms(), "\n");
  }
  return text;
}

}  // namespace

void AnalysisConformance::Fill() {
  ASSERT_OK(records().Put(
      {.resolutions = {Resolution({"1", 1000}, {{"/a", "lww"}, {"/b", "counter"}}),
                       Resolution({"2", 2000, "note", "tablet", "2"},
                                  {{"/a", "lww"}, {"/a", "three_way"}, {"/list/id=7/b", "lww"}}),
                       Resolution({"3", kMinuteMs, "task"}, {{"/a", "lww"}, {"/q", "ask"}}),
                       Resolution({"4", 1000, "note", "phone", "1", "t"}, {{"/a", "max"}})}}));
  v1::RecordUndoneRequest undone;
  undone.set_space("s");
  undone.set_op_id("2");
  undone.set_version_id("9-0000000000000009");
  ASSERT_OK(records().MarkUndone(undone));
  Hold(Conflict("a", 1000, v1::CONFLICT_STATE_OPEN, 0));
  Hold(Conflict("b", 1000, v1::CONFLICT_STATE_RESOLVED, 10));
  Hold(Conflict("c", 1000, v1::CONFLICT_STATE_RESOLVED, 30));
  Hold(Conflict("d", kMinuteMs, v1::CONFLICT_STATE_EXPIRED, 500));
  Hold(Conflict("e", kMinuteMs, v1::CONFLICT_STATE_CANCELLED, 20));
  v1::Conflict opening = Conflict("f", 1000, v1::CONFLICT_STATE_OPENING, 0);
  ASSERT_OK(records().Put({.openings = {opening}}));
}

std::string AnalysisConformance::By(v1::AnalyzeDimension by, AnalysisQuery query) {
  query.by = by;
  return Text(analysis().Count(query));
}

AnalysisQuery AnalysisConformance::Query() {
  return {
      .space = "s", .to_ms = 1'000'000, .bucket_ms = kMinuteMs, .limit = 100, .records_max = 1000};
}

namespace {

TEST_P(AnalysisConformance, CountsByEveryDimension) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_UNSPECIFIED), ": 6 5 2 1 1 p 20 500 500\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_ENTITY_TYPE),
            "note: 5 5 2 1 1 p 20 500 500\ntask: 1 0 0 0 0 p 0 0 0\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_PATH),
            "/a: 4 5 2 1 1 p 20 500 500\n/list/*/b: 1 5 2 1 1 p 20 500 500\n"
            "/b: 1 0 0 0 0 p 0 0 0\n/q: 0 0 0 0 0 p 0 0 0\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_RULE),
            "ask: 0 5 2 1 0 p 20 500 500\nlww: 4 0 0 0 1 p 0 0 0\n"
            "counter: 1 0 0 0 0 p 0 0 0\nthree_way: 1 0 0 0 1 p 0 0 0\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_DEVICE),
            "phone: 3 5 2 1 0 p 20 500 500\ntablet: 3 0 0 0 1 p 0 0 0\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_APP_VERSION),
            "2: 3 5 2 1 1 p 20 500 500\n1: 3 0 0 0 0 p 0 0 0\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_TIME),
            "60000: 1 2 0 1 0 p 20 500 500\n0: 5 3 2 0 1 p 10 30 30\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_ENTITY),
            "note/x: 5 5 2 1 1 p 20 500 500\ntask/x: 1 0 0 0 0 p 0 0 0\n");
}

TEST_P(AnalysisConformance, CountsOnlyWhatIsAskedFor) {
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_UNSPECIFIED), "");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_PATH), "");
  ASSERT_NO_FATAL_FAILURE(Fill());
  AnalysisQuery all = Query();
  all.space = "";
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_UNSPECIFIED, all), ": 7 5 2 1 1 p 20 500 500\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_ENTITY, all),
            "s/note/x: 5 5 2 1 1 p 20 500 500\ns/task/x: 1 0 0 0 0 p 0 0 0\n"
            "t/note/x: 1 0 0 0 0 p 0 0 0\n");
  EXPECT_THAT(By(v1::ANALYZE_DIMENSION_RULE, all), ::testing::HasSubstr("max: 1 0"));
  AnalysisQuery first = Query();
  first.to_ms = kMinuteMs;
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_UNSPECIFIED, first), ": 5 3 2 0 1 p 10 30 30\n");
  AnalysisQuery second = Query();
  second.from_ms = kMinuteMs;
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_UNSPECIFIED, second), ": 1 2 0 1 0 p 20 500 500\n");
  AnalysisQuery task = Query();
  task.entity_type = "task";
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_RULE, task),
            "lww: 1 0 0 0 0 p 0 0 0\nask: 0 0 0 0 0 p 0 0 0\n");
  AnalysisQuery largest = Query();
  largest.limit = 1;
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_PATH, largest), "/a: 4 5 2 1 1 p 20 500 500\n");
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_TIME, largest), "60000: 1 2 0 1 0 p 20 500 500\n");
}

TEST_P(AnalysisConformance, CountsTheNewestAndTellsFromWhen) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  AnalysisQuery query = Query();
  query.records_max = 5;  // As many conflicts as there are; fewer records.
  EXPECT_EQ(*analysis().OldestCounted(query), std::nullopt);
  query.records_max = 4;
  EXPECT_EQ(*analysis().OldestCounted(query), 1000);
  query.records_max = 2;
  EXPECT_EQ(*analysis().OldestCounted(query), kMinuteMs);
  EXPECT_THAT(By(v1::ANALYZE_DIMENSION_UNSPECIFIED, query), ::testing::HasSubstr(": 4 2 "));
  query.space = "";
  EXPECT_EQ(*analysis().OldestCounted(query), kMinuteMs);
  query.to_ms = kMinuteMs;
  query.space = "t";
  query.records_max = 1;  // As many records as there are, and no conflict.
  EXPECT_EQ(*analysis().OldestCounted(query), std::nullopt);
  query.space = "s";
  EXPECT_EQ(*analysis().OldestCounted(query), 2000);
}

TEST_P(AnalysisConformance, WhatIsDecidedAgainIsCountedOnce) {
  ASSERT_OK(records().Put({.resolutions = {Resolution({"1", 1000}, {{"/a", "lww"}})}}));
  ASSERT_OK(records().Put({.resolutions = {Resolution({"1", 2000}, {{"/b", "max"}})}}));
  EXPECT_EQ(By(v1::ANALYZE_DIMENSION_PATH), "/b: 1 0 0 0 0 p 0 0 0\n");
}

}  // namespace

}  // namespace bdcsync::conflict
