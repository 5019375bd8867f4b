// The examples of docs/conflicts.md: each rule set, with each meeting below it, through Resolve.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "services/conflict/resolve.h"
#include "services/conflict/rules_testing.h"

namespace bdcsync::conflict {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr int64_t kMinuteMs = 60'000;

struct Example {
  std::string rules;
  std::vector<std::string> meetings;
};

std::vector<Example> ReadExamples() {
  std::ifstream file(BDC_CONFLICTS_PAGE);
  EXPECT_TRUE(file.is_open()) << BDC_CONFLICTS_PAGE;
  std::vector<Example> examples;
  std::string block;  // What the block that we are in holds; empty outside.
  bool among_examples = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) among_examples = line == "## Examples";
    if (!among_examples) continue;
    if (line == "```rules") {
      examples.emplace_back();
      block = "rules";
    } else if (line == "```json") {
      block = "json";
    } else if (line == "```") {
      block.clear();
    } else if (block == "rules") {
      examples.back().rules += line + "\n";
    } else if (block == "json") {
      examples.back().meetings.push_back(line);
    }
  }
  return examples;
}

v1::Side SideOf(const json::Value& meeting, const std::string& name) {
  v1::Side side;
  const json::Value* data = meeting.Find(name);
  side.set_exists(data != nullptr);
  if (data != nullptr) side.set_data(json::Serialize(*data));
  if (const json::Value* ago = meeting.Find(name + "_minutes_ago")) {
    side.set_client_time_ms(kNowMs - *ago->AsInt64() * kMinuteMs);
  }
  return side;
}

v1::ResolveResult Meet(const ActiveRules& rules, const json::Value& meeting) {
  v1::ResolveRequest request;
  v1::ResolveItem& item = *request.add_items();
  item.set_op_id("op");
  item.mutable_entity()->set_space("s");
  item.mutable_entity()->set_entity_type("example");
  item.mutable_entity()->set_entity_id("a");
  *item.mutable_base() = SideOf(meeting, "base");
  *item.mutable_theirs() = SideOf(meeting, "theirs");
  item.mutable_theirs()->set_time_ms(kNowMs);
  *item.mutable_ours() = SideOf(meeting, "ours");
  const ResolveLimits limits;
  return Resolve(request, {.limits = limits, .rules = rules, .now_ms = kNowMs}).response.results(0);
}

void ExpectOpen(const json::Value& meeting, const v1::Conflict& conflict) {
  json::Array open;
  for (const v1::OpenPlace& place : conflict.places()) {
    open.emplace_back(place.decision().path());
  }
  EXPECT_EQ(json::Value(open), *meeting.Find("open"));
  if (const json::Value* user = meeting.Find("assigned_to")) {
    EXPECT_EQ(conflict.assigned_to(), *user->AsString());
  }
  if (const json::Value* hours = meeting.Find("hours")) {
    EXPECT_EQ(conflict.deadline_ms() - kNowMs, *hours->AsInt64() * 60 * kMinuteMs);
  }
}

void ExpectAsSaid(const ActiveRules& rules, const json::Value& meeting) {
  const v1::ResolveResult result = Meet(rules, meeting);
  EXPECT_FALSE(result.has_error()) << result.error().message();
  if (meeting.Find("open") != nullptr) {
    ExpectOpen(meeting, result.conflict());
    return;
  }
  EXPECT_FALSE(result.has_conflict());
  EXPECT_EQ(result.merged().data(), json::Serialize(*meeting.Find("result")));
  bool close_call = false;
  for (const v1::Decision& decision : result.decisions()) {
    close_call = close_call || decision.close_call();
  }
  EXPECT_EQ(close_call, meeting.Find("close_call") != nullptr);
}

TEST(Guide, ExamplesDoWhatThePageSays) {
  const std::vector<Example> examples = ReadExamples();
  EXPECT_GE(examples.size(), 5u);
  for (const Example& example : examples) {
    EXPECT_FALSE(example.meetings.empty()) << example.rules;
    const auto rules = RulesOf({{"example", example.rules}});
    for (const std::string& line : example.meetings) {
      SCOPED_TRACE(line);
      const absl::StatusOr<json::Value> meeting = json::Parse(line);
      ASSERT_OK(meeting);
      ExpectAsSaid(*rules, *meeting);
    }
  }
}

}  // namespace
}  // namespace bdcsync::conflict
