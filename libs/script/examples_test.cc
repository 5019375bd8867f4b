// The examples of docs/scripts.md: each script, with each case below it.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "libs/script/run_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

struct Example {
  std::string script;
  std::vector<std::string> cases;
};

std::vector<Example> ReadExamples() {
  std::ifstream file(BDC_SCRIPTS_PAGE);
  EXPECT_TRUE(file.is_open()) << BDC_SCRIPTS_PAGE;
  std::vector<Example> examples;
  std::string block;  // What the block that we are in holds; empty outside.
  for (std::string line; std::getline(file, line);) {
    if (line == "```lua") {
      examples.emplace_back();
      block = "lua";
    } else if (line == "```json") {
      block = "json";
    } else if (line == "```") {
      block.clear();
    } else if (block == "lua") {
      examples.back().script += line + "\n";
    } else if (block == "json") {
      examples.back().cases.push_back(line);
    }
  }
  return examples;
}

TEST(Examples, OfThePageDoWhatItSays) {
  const std::vector<Example> examples = ReadExamples();
  EXPECT_GE(examples.size(), 5u);
  for (const Example& example : examples) {
    EXPECT_FALSE(example.cases.empty()) << example.script;
    for (const std::string& line : example.cases) {
      const json::Value values = Json(line);
      const absl::StatusOr<std::string> result = TryWith(
          example.script,
          {values.Find("base"), values.Find("ours"), values.Find("theirs"), values.Find("meta")});
      if (const json::Value* error = values.Find("error")) {
        EXPECT_EQ(result.status().message(), error->string()) << line;
        continue;
      }
      ASSERT_OK(result) << line;
      const json::Value* const expected = values.Find("result");
      EXPECT_EQ(*result, expected == nullptr ? "missing" : json::Serialize(*expected)) << line;
    }
  }
}

}  // namespace
}  // namespace bdcsync::script
