// Configuration files that nobody means: each is told as a mistake, in bounded time and text. A
// running process reads its file again at SIGHUP, so a file must not end it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/config/loader.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::config {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Int kPort{.name = "websocket.port", .default_value = 8765, .doc = "A port."};
constexpr String kFolder{.name = "data_dir", .doc = "A folder."};
constexpr StringMap kMap{.name = "a.map", .doc = "A map."};
constexpr String kSecret{.name = "security.secret", .doc = "A secret.", .secret = true};
constexpr StringMap kSecrets{.name = "security.secrets", .doc = "Secrets.", .secret = true};
constexpr Double kRate{.name = "a.rate", .default_value = 0.1, .doc = "A rate."};
constexpr SuiteKey kOtherKeys[] = {{.name = "conflict.decisions_max", .service = "conflict"}};

class HostileFileTest : public ::testing::Test {
 protected:
  HostileFileTest() {
    schema_.Add(kPort);
    schema_.Add(kFolder);
    schema_.Add(kMap);
    schema_.Add(kSecret);
    schema_.Add(kSecrets);
    schema_.Add(kRate);
  }
  ~HostileFileTest() override { std::filesystem::remove(path_); }

  absl::StatusOr<Loaded> Load(const std::string& text) {
    std::ofstream(path_) << text;
    return config::Load(schema_, {{"--config", path_}, {}, {}, kOtherKeys});
  }

  std::vector<std::string> Mistakes(const std::string& text) {
    const auto loaded = Load(text);
    EXPECT_FALSE(loaded.ok());
    return absl::StrSplit(std::string(loaded.status().message()), '\n');
  }

  Schema schema_;
  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "hostile_file_test_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".yaml");
};

TEST_F(HostileFileTest, SectionInsideItselfEnds) {
  EXPECT_THAT(Mistakes("websocket: &a\n  x: *a\n"), ElementsAre(EndsWith("nest too deep")));
}

TEST_F(HostileFileTest, AliasesThatStandForMuchEnd) {
  std::string text = "a0: &a0 {x: 1, y: 1}\n";
  for (int i = 1; i < 15; ++i) {
    absl::StrAppend(&text, "a", i, ": &a", i, " {x: *a", i - 1, ", y: *a", i - 1, "}\n");
  }
  EXPECT_THAT(Mistakes(text), SizeIs(101));
  text = "a0: &a0 {}\n";  // Holds no value: nothing but sections.
  for (int i = 1; i < 15; ++i) {
    absl::StrAppend(&text, "a", i, ": &a", i, " {websocket: *a", i - 1, ", a: *a", i - 1, "}\n");
  }
  EXPECT_FALSE(Load(text).ok());
}

TEST_F(HostileFileTest, OfManyMistakesTheFirstAreTold) {
  std::string text;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "k", i, ": 1\n");
  EXPECT_THAT(Mistakes(text.substr(text.find('\n') + 1)), SizeIs(99));
  const std::vector<std::string> mistakes = Mistakes(absl::StrCat(text, "k: 1\n"));
  ASSERT_THAT(mistakes, SizeIs(101));
  EXPECT_THAT(mistakes.back(), HasSubstr("more may be wrong"));
}

TEST_F(HostileFileTest, LongNamesAndValuesAreCut) {
  const std::string name(256, 'n');
  EXPECT_THAT(Mistakes(name + ": 1\n"), ElementsAre(HasSubstr(": " + name + ": unknown key")));
  EXPECT_THAT(Mistakes(name + "n: 1\n"), ElementsAre(EndsWith("a name of more than 256 bytes")));
  const std::string value = absl::StrCat(std::string(99, 'v'), "€", std::string(100'000, 'v'));
  const std::vector<std::string> mistakes = Mistakes("websocket.port: " + value);
  EXPECT_THAT(mistakes, ElementsAre(HasSubstr(std::string(99, 'v') + "…' is not a whole number")));
}

TEST_F(HostileFileTest, WhatIsNoNameIsAMistake) {
  EXPECT_THAT(Mistakes("? [websocket.port]\n: 1\n"), ElementsAre(EndsWith("a name is plain text")));
  EXPECT_THAT(Mistakes("a:\n  map:\n    ? [x]\n    : y\n"),
              ElementsAre(EndsWith("a.map: takes plain names")));
}

TEST_F(HostileFileTest, NoPartOfAFileIsPassedOverInSilence) {
  EXPECT_THAT(Mistakes("data_dir: x\n---\nwebsocket.port: 1\n"),
              ElementsAre(EndsWith("is more than one document")));
  EXPECT_THAT(Mistakes(", websocket.port: 1\n"),
              ElementsAre(EndsWith("is more than one document")));
  EXPECT_THAT(Mistakes("websockt: {}\n"), ElementsAre(HasSubstr("websockt: unknown key")));
  EXPECT_THAT(Mistakes("conflict: {decisions_max: 1}\nconflict.decisions_max: 2\n"),
              ElementsAre(EndsWith("conflict.decisions_max: is set twice")));
}

TEST_F(HostileFileTest, SectionMayBeEmpty) {
  EXPECT_OK(Load("---\nwebsocket:\n  # port: 1\nconflict: {}\n"));
}

TEST_F(HostileFileTest, MaskOfASecretIsNoSecret) {
  ASSERT_OK_AND_ASSIGN(const Loaded loaded, Load("security: {secret: s, secrets: {a: b}}\n"));
  ASSERT_OK_AND_ASSIGN(const Loaded empty, Load("security: {secret: '', secrets: {}}\n"));
  EXPECT_OK(Load(PrintYaml(schema_, empty.values)));
  const std::vector<std::string> mistakes = Mistakes(PrintYaml(schema_, loaded.values));
  EXPECT_THAT(mistakes, ElementsAre(HasSubstr("security.secret: the value is not a secret"),
                                    HasSubstr("security.secrets: the value is not a secret")));
}

TEST_F(HostileFileTest, PrintedValuesAreReadAgainAsTheyWere) {
  ASSERT_OK_AND_ASSIGN(const Loaded loaded,
                       Load("data_dir: \"it's \\\"\\\\ \\x01\"\na: {rate: 1234567.25}\n"));
  const std::string yaml = PrintYaml(schema_, loaded.values);
  EXPECT_THAT(yaml, Not(HasSubstr("\\'")));  // No escape of YAML, though one that yaml-cpp takes.
  ASSERT_OK_AND_ASSIGN(const Loaded again, Load(yaml));
  EXPECT_EQ(again.values.Get(kFolder), "it's \"\\ \x01");
  EXPECT_EQ(again.values.Get(kRate), 1234567.25);
}

TEST_F(HostileFileTest, AFileWithoutANameIsNotTheDefaults) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--config="}, {"--config", ""}}) {
    EXPECT_FALSE(config::Load(schema_, {arguments, {}, {}, {}}).ok());
  }
}

}  // namespace
}  // namespace bdcsync::config
