#include "clients/cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace bdcsync::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const CommandSpec& Spec() {
  static const auto& spec = *new CommandSpec{"make",
                                             "NAME [SIZE]",
                                             "make a thing",
                                             1,
                                             2,
                                             {{"color", "COLOR", "which color", "TEST_COLOR"},
                                              {"fast", "", "hurry", ""},
                                              {"note", "TEXT", "a note", "", true}},
                                             "",
                                             "make x"};
  return spec;
}

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words,
                                const std::map<std::string, std::string>& environment = {}) {
  return ParseArguments(Spec(), words, environment);
}

std::string MistakeIn(const std::vector<std::string>& words) {
  return std::string(Parse(words).status().message());
}

TEST(ArgumentsTest, OptionsStandAnywhereAndTakeBothForms) {
  ASSERT_OK_AND_ASSIGN(const Arguments arguments,
                       Parse({"--color", "red", "cup", "--fast", "big", "--timeout=5s"}));
  EXPECT_THAT(arguments.operands(), ElementsAre("cup", "big"));
  EXPECT_EQ(arguments.Get("color"), "red");
  EXPECT_TRUE(arguments.Has("fast"));
  EXPECT_EQ(arguments.Get("timeout"), "5s");
  EXPECT_FALSE(arguments.Has("json"));
}

TEST(ArgumentsTest, TheLastOfRepeatedOptionsCountsAndAllAreKept) {
  ASSERT_OK_AND_ASSIGN(const Arguments arguments, Parse({"cup", "--color=a", "--color", "b"}));
  EXPECT_EQ(arguments.Get("color"), "b");
  EXPECT_THAT(arguments.GetAll("color"), ElementsAre("a", "b"));
  EXPECT_THAT(arguments.GetAll("token"), IsEmpty());
}

TEST(ArgumentsTest, AfterTwoDashesEverythingIsAnOperand) {
  ASSERT_OK_AND_ASSIGN(const Arguments arguments, Parse({"--", "--fast", "-h"}));
  EXPECT_THAT(arguments.operands(), ElementsAre("--fast", "-h"));
}

TEST(ArgumentsTest, OneDashIsAnOperandAndAnEmptyValueIsAValueWhereItMayBe) {
  ASSERT_OK_AND_ASSIGN(const Arguments arguments, Parse({"cup", "-", "--note="}));
  EXPECT_THAT(arguments.operands(), ElementsAre("cup", "-"));
  EXPECT_TRUE(arguments.Has("note"));
  EXPECT_THAT(MistakeIn({"cup", "--color="}), HasSubstr("--color is given an empty COLOR"));
  EXPECT_THAT(MistakeIn({"cup", "--color", ""}), HasSubstr("--color is given an empty COLOR"));
}

TEST(ArgumentsTest, TheEnvironmentSpeaksWhereTheCommandLineIsSilent) {
  ASSERT_OK_AND_ASSIGN(const Arguments taken, Parse({"cup"}, {{"TEST_COLOR", "blue"}}));
  EXPECT_EQ(taken.Get("color"), "blue");
  ASSERT_OK_AND_ASSIGN(const Arguments given,
                       Parse({"cup", "--color=red"}, {{"TEST_COLOR", "blue"}}));
  EXPECT_EQ(given.Get("color"), "red");
  ASSERT_OK_AND_ASSIGN(const Arguments empty, Parse({"cup"}, {{"TEST_COLOR", ""}}));
  EXPECT_FALSE(empty.Has("color"));
}

TEST(ArgumentsTest, EveryMistakeSaysWhatWasExpected) {
  EXPECT_THAT(MistakeIn({}), HasSubstr("expected NAME [SIZE]"));
  EXPECT_THAT(MistakeIn({"a", "b", "c d"}), HasSubstr("unexpected 'c d'"));
  EXPECT_THAT(MistakeIn({"a", "--color"}), HasSubstr("--color needs a COLOR"));
  EXPECT_THAT(MistakeIn({"a", "--fast=yes"}), HasSubstr("--fast takes no value"));
  EXPECT_THAT(MistakeIn({"a", "--colour", "x"}), HasSubstr("did you mean --color?"));
  EXPECT_THAT(MistakeIn({"a", "--nothing-like-it"}), HasSubstr("no option --nothing-like-it"));
}

TEST(ArgumentsTest, HelpNeedsNoOperands) {
  for (const char* word : {"--help", "-h"}) {
    ASSERT_OK_AND_ASSIGN(const Arguments arguments, Parse({word}));
    EXPECT_TRUE(arguments.Has("help"));
  }
}

TEST(ArgumentsTest, ASuggestionIsCloseOrThereIsNone) {
  EXPECT_EQ(Suggestion("lst", {"list", "get"}), "list");
  EXPECT_EQ(Suggestion("histroy", {"history", "list"}), "history");
  EXPECT_EQ(Suggestion("zzz", {"list", "get", "put"}), std::nullopt);
}

}  // namespace
}  // namespace bdcsync::cli
