// `bdc-sync merge` from its words to the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "clients/cli/run.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class MergeCommandTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  int Merge(const std::string& base, const std::string& theirs, const std::string& ours,
            std::vector<std::string> options = {}) {
    std::vector<std::string> words = {"merge", File("base", base), File("theirs", theirs),
                                      File("ours", ours)};
    words.insert(words.end(), options.begin(), options.end());
    return Run(words);
  }
  int Run(const std::vector<std::string>& words) {
    std::istringstream in("1");
    out_.str("");
    err_.str("");
    const std::map<std::string, std::string> variables;
    const Environment environment{
        variables, in, out_, err_, clock_, random_, [](absl::Duration) {}};
    return RunCommandLine(words, environment, [](SyncClientOptions) {
      return absl::StatusOr<std::unique_ptr<SyncClient>>(absl::InternalError("no server"));
    });
  }

  const testing::TempDir folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(MergeCommandTest, ACleanMergeIsPrintedAlone) {
  EXPECT_EQ(Merge(R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":1,"b":2})"), 0);
  EXPECT_EQ(out_.str(), "{\"a\":2,\"b\":2}\n");
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(MergeCommandTest, NamesInTheDocumentsCannotSteerTheTerminal) {
  EXPECT_EQ(Merge(R"({"\u001b[31mred": 1})", R"({"\u001b[31mred": 2})", R"({"\u001b[31mred": 3})"),
            1);
  EXPECT_THAT(err_.str(), HasSubstr("at / [31mred"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(MergeCommandTest, StandardInputIsOneOfTheFiles) {
  const std::string one = File("one", "1");
  EXPECT_EQ(Run({"merge", one, one, "-"}), 0);
  EXPECT_EQ(out_.str(), "1\n");
  EXPECT_EQ(Run({"merge", "-", "-", one}), kExitUsage);
  EXPECT_EQ(Run({"merge", one, one, "-", "--rules", "-"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("only one of the files can be -"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(MergeCommandTest, WithoutRulesAnOverlapIsListedAndHoldsTheirs) {
  EXPECT_EQ(Merge(R"({"a":1})", R"({"a":2})", R"({"a":3})"), 1);
  EXPECT_EQ(out_.str(), "{\"a\":2}\n");
  EXPECT_THAT(err_.str(), HasSubstr("conflict (edit_edit) at /a\n"));
  EXPECT_THAT(err_.str(), HasSubstr("ours    3\n"));
}

TEST_F(MergeCommandTest, ARemovalThatAnEditUndoesIsTold) {
  EXPECT_EQ(Merge(R"({"a":1,"b":1})", R"({"b":1})", R"({"a":2,"b":1})"), 0);
  EXPECT_EQ(out_.str(), "{\"b\":1,\"a\":2}\n");
  EXPECT_EQ(err_.str(),
            "note at /a: theirs removed this and ours changed it; the change stands (edit_wins)\n");
  EXPECT_EQ(Merge("1", "2", ""), 0);
  EXPECT_EQ(out_.str(), "2\n");
  EXPECT_EQ(err_.str(),
            "note at /: ours removed this and theirs changed it; the change stands (edit_wins)\n");
  EXPECT_EQ(Merge("1", "2", "", {"--json"}), 0);
  const json::Value report = *json::Parse(err_.str());
  EXPECT_EQ(*report.Find("decisions")->array()[0].Find("rule"), json::Value("edit_wins"));
}

TEST_F(MergeCommandTest, RulesOfDocsMergingMdLeaveARemovalAgainstAnEditOpen) {
  const std::string rules = File("rules", R"({"rules": [], "else": "ask", "delete": "else"})");
  EXPECT_EQ(Merge(R"({"a":{"x":1}})", R"({"a":{}})", R"({"a":{"x":2}})", {"--rules", rules}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("conflict (edit_delete) at /a/x"));
}

TEST_F(MergeCommandTest, ConflictsAreJsonWhenAskedFor) {
  EXPECT_EQ(Merge(R"({"a":1})", R"({"a":2})", R"({"a":3})", {"--json"}), 1);
  const json::Value report = *json::Parse(err_.str());
  ASSERT_EQ(report.Find("conflicts")->array().size(), 1u);
  EXPECT_EQ(*report.Find("conflicts")->array()[0].Find("path"), json::Value("/a"));
}

TEST_F(MergeCommandTest, RulesDecide) {
  const std::string rules = File("rules", R"({"rules":[{"path":"$.n","rule":"counter"}]})");
  EXPECT_EQ(Merge(R"({"n":5,"a":1})", R"({"n":6,"a":2})", R"({"n":8,"a":3})", {"--rules", rules}),
            0);
  EXPECT_EQ(out_.str(), "{\"n\":9,\"a\":3}\n");
  const std::string list = File("list", R"j([{"path":"$","rule":"keyed_list(id)"}])j");
  EXPECT_EQ(Merge(R"([{"id":1,"a":1,"b":1}])", R"([{"id":1,"a":2,"b":1}])",
                  R"([{"id":1,"a":1,"b":2}])", {"--rules", list}),
            0);
  EXPECT_THAT(out_.str(), HasSubstr(R"([{"id":1,"a":2,"b":2}])"));
  EXPECT_EQ(Merge("1", "2", "3", {"--rules", rules, "--later", "theirs"}), 0);
  EXPECT_EQ(out_.str(), "2\n");
}

TEST_F(MergeCommandTest, TheDocumentIsLaidOutAsOursIs) {
  EXPECT_EQ(Merge("{}", R"({"b":{"c":[1]}})", "{\n    \"a\": 1\n}\n"), 0);
  EXPECT_EQ(
      out_.str(),
      "{\n    \"b\": {\n        \"c\": [\n            1\n        ]\n    },\n    \"a\": 1\n}\n");
}

TEST_F(MergeCommandTest, LinesEndAsThoseOfOurs) {
  EXPECT_EQ(Merge("{}", R"({"b":1})", "{\r\n  \"a\": 1\r\n}\r\n"), 0);
  EXPECT_EQ(out_.str(), "{\r\n  \"b\": 1,\r\n  \"a\": 1\r\n}\r\n");
  EXPECT_EQ(Merge("{}", R"({"b":1})", "{}\r\n"), 0);
  EXPECT_EQ(out_.str(), "{\"b\":1}\r\n");
}

TEST_F(MergeCommandTest, WhatGitWaitsForIsWrittenAlsoWhenNoOutputIsNamed) {
  const std::string base = File(".merge_file_a00001", R"({"a":1,"b":1})");
  const std::string one = File(".merge_file_a00002", R"({"a":2,"b":1})");
  const std::string other = File(".merge_file_a00003", R"({"a":1,"b":2})");
  EXPECT_EQ(Run({"merge", base, one, other}), 0);
  for (const std::string& name : {one, other}) {
    std::ifstream file(name);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "{\"a\":2,\"b\":2}\n");
  }
  EXPECT_EQ(out_.str(), "{\"a\":2,\"b\":2}\n");
}

TEST_F(MergeCommandTest, FilesOfAnybodyElseAreOnlyRead) {
  EXPECT_EQ(Merge(R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":1,"b":2})"), 0);
  std::ifstream file(folder_.path() + "/ours");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), R"({"a":1,"b":2})");
}

TEST_F(MergeCommandTest, TheOutputMayBeOneOfTheInputs) {
  EXPECT_EQ(
      Merge(R"({"a":1})", R"({"a":2})", R"({"a":1,"b":1})", {"--output", folder_.path() + "/ours"}),
      0);
  EXPECT_THAT(out_.str(), IsEmpty());
  std::ifstream file(folder_.path() + "/ours");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "{\"a\":2,\"b\":1}\n");
}

TEST_F(MergeCommandTest, AnEmptyFileIsADocumentThatDoesNotExist) {
  EXPECT_EQ(Merge("", "1", ""), 0);
  EXPECT_EQ(out_.str(), "1\n");
  EXPECT_EQ(Merge("1", "", "1"), 0);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_EQ(Merge("", "1", "2"), 1);
  EXPECT_THAT(err_.str(), HasSubstr("conflict (add_add) at the whole document"));
}

TEST_F(MergeCommandTest, BadInputIsStatus2AndNamesTheFile) {
  EXPECT_EQ(Merge("{", "1", "1"), 2);
  EXPECT_THAT(err_.str(), HasSubstr("/base: "));
  EXPECT_EQ(Merge("1", "1", "1", {"--rules", File("rules", R"({"rules":[{"path":"a"}]})")}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("/rules/0/path"));
  EXPECT_EQ(Merge("1", "1", "1", {"--rules", File("rules", R"([{"path":"$","rule":"mx"}])")}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("/0/rule: there is no rule \"mx\" (rule for $)"));
  EXPECT_EQ(Merge("1", "1", "1", {"--later", "never"}), 2);
  EXPECT_EQ(Run({"merge", "nowhere", "nowhere", "nowhere"}), 2);
  EXPECT_EQ(Run({"merge", "one"}), 2);
}

}  // namespace
}  // namespace bdcsync::cli
