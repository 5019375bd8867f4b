// `bdc-sync delta`: one line for one line, whatever the line is.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/run.h"
#include "libs/base/clock.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

std::vector<std::string> Answers(const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const std::map<std::string, std::string> variables;
  const SystemClock clock;
  SystemRandom random;
  const Environment environment{variables, in, out, err, clock, random, [](absl::Duration) {}};
  EXPECT_EQ(RunCommandLine({"delta"}, environment,
                           [](SyncClientOptions) -> absl::StatusOr<std::unique_ptr<SyncClient>> {
                             return absl::InternalError("delta needs no server");
                           }),
            kExitDone);
  EXPECT_EQ(err.str(), "");
  std::vector<std::string> lines = absl::StrSplit(out.str(), '\n');
  EXPECT_EQ(lines.back(), "");
  lines.pop_back();
  return lines;
}

std::string Answer(const std::string& line) { return Answers(line + "\n").front(); }
std::string CodeOf(const std::string& answer) {
  const auto value = json::Parse(answer);
  const json::Value* error = value.ok() ? value->Find("error") : nullptr;
  return error == nullptr ? answer : std::string(error->Find("code")->string());
}

TEST(DeltaCommand, AnswersEachKindOfRequest) {
  EXPECT_EQ(
      Answer(R"({"op":"apply","doc":[{"insert":"ac"}],"delta":[{"retain":1},{"insert":"b"}]})"),
      R"({"ops":[{"insert":"abc"}]})");
  EXPECT_EQ(Answer(R"({"op":"compose","a":[{"insert":"a"}],"b":[{"retain":1},{"delete":2}]})"),
            R"({"ops":[{"insert":"a"},{"delete":2}]})");
  EXPECT_EQ(Answer(R"({"op":"invert","delta":[{"delete":1}],"doc":[{"insert":"ab"}]})"),
            R"({"ops":[{"insert":"a"}]})");
  EXPECT_EQ(Answer(R"({"op":"diff","a":[{"insert":"ab"}],"b":[{"insert":"ac"}]})"),
            R"({"ops":[{"retain":1},{"insert":"c"},{"delete":1}]})");
}

TEST(DeltaCommand, PrioritySaysWhoseInsertionStandsFirst) {
  const std::string request = R"({"op":"transform","a":[{"insert":"x"}],"b":[{"insert":"y"}])";
  const std::string behind = R"({"ops":[{"retain":1},{"insert":"y"}]})";
  EXPECT_EQ(Answer(request + R"(,"priority":true})"), behind);
  EXPECT_EQ(Answer(request + R"(,"priority":false})"), R"({"ops":[{"insert":"y"}]})");
  EXPECT_EQ(Answer(request + "}"), R"({"ops":[{"insert":"y"}]})");
}

TEST(DeltaCommand, ABadLineIsAnsweredByAnErrorAndDoesNotStopTheNext) {
  const std::vector<std::string> answers = Answers(
      "\n"
      "not json\n"
      "[]\n"
      "{\"op\":\"fly\"}\n"
      "{\"op\":\"apply\",\"doc\":[]}\n"
      "{\"op\":\"apply\",\"doc\":[{\"retain\":1}],\"delta\":[]}\n"
      "{\"op\":\"apply\",\"doc\":[{\"insert\":\"a\"}],\"delta\":[{\"delete\":2}]}\n"
      "{\"op\":\"transform\",\"a\":[],\"b\":[],\"priority\":1}\n"
      "{\"op\":\"diff\",\"a\":[{\"insert\":\"\\ud83d\"}],\"b\":[]}\n"
      "{\"op\":\"apply\",\"doc\":[{\"insert\":\"\xF0\x9F\x98\x80\"}],\"delta\":[{\"delete\":1}]}\n"
      "{\"op\":\"diff\",\"a\":[],\"b\":[]}");  // Also without a newline at the end.
  std::vector<std::string> codes;
  for (const std::string& answer : answers) codes.push_back(CodeOf(answer));
  const std::string bad = "bad_message", invalid = "invalid_argument";
  EXPECT_EQ(codes, (std::vector<std::string>{bad, bad, invalid, invalid, invalid, invalid, invalid,
                                             invalid, bad, invalid, R"({"ops":[]})"}));
  EXPECT_EQ(
      Answer(R"({"op":"compose","a":[{"retain":0}],"b":[]})"),
      R"({"error":{"code":"invalid_argument","message":"/a/0/retain: want an integer above 0"}})");
}

TEST(DeltaCommand, AnswersAHundredThousandLines) {
  constexpr int kLines = 100'000;
  std::string input;
  for (int i = 0; i < kLines; ++i) {
    absl::StrAppend(&input, R"({"op":"transform","priority":true,"a":[{"retain":)", i + 1,
                    R"(},{"insert":"ab"}],"b":[{"retain":)", i + 2, R"(},{"delete":1}]})", "\n");
  }
  const std::vector<std::string> answers = Answers(input);
  ASSERT_EQ(answers.size(), static_cast<size_t>(kLines));
  for (int i = 0; i < kLines; ++i) {
    ASSERT_EQ(answers[static_cast<size_t>(i)],
              absl::StrCat(R"({"ops":[{"retain":)", i + 4, R"(},{"delete":1}]})"));
  }
}

}  // namespace
}  // namespace bdcsync::cli
