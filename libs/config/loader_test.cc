#include "libs/config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr Int kPort{.name = "websocket.port",
                    .default_value = 8765,
                    .min = 0,
                    .max = 65535,
                    .doc = "Where clients | connect."};
constexpr Bool kFlag{.name = "a.flag", .default_value = false, .doc = "A flag."};
constexpr String kSecret{.name = "security.jwt_secret",
                         .doc = "A secret.",
                         .secret = true,
                         .env_alias = "BDC_SYNC_JWT_SECRET"};
constexpr StringList kHosts{.name = "a.hosts", .default_value = "x:1", .doc = "Hosts."};
constexpr StringMap kMap{.name = "a.map", .doc = "A map."};

constexpr SuiteKey kOtherKeys[] = {
    {.name = "websocket.port", .service = "gateway"},  // The schema has it: it counts.
    {.name = "storage.log_dsns", .service = "event-store", .secret = true},
    {.name = "conflict.decisions_max", .service = "conflict"},
};

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    schema_.Add(kPort);
    schema_.Add(kFlag);
    schema_.Add(kSecret);
    schema_.Add(kHosts);
    schema_.Add(kMap);
  }
  ~LoaderTest() override { std::filesystem::remove(path_); }

  // Writes `text` to a file of this test's own.
  std::string Write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }

  absl::StatusOr<Loaded> Load(std::vector<std::string> arguments,
                              std::map<std::string, std::string> environment = {}) {
    return config::Load(
        schema_, {std::move(arguments), std::move(environment), {"BDC_SYNC_DEV_*"}, kOtherKeys});
  }

  std::vector<std::string> Mistakes(std::vector<std::string> arguments,
                                    std::map<std::string, std::string> environment = {}) {
    const auto loaded = Load(std::move(arguments), std::move(environment));
    EXPECT_FALSE(loaded.ok());
    return absl::StrSplit(std::string(loaded.status().message()), '\n');
  }

  Schema schema_;
  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "loader_test_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".yaml");
};

TEST_F(LoaderTest, LaterSourcesWin) {
  const std::string file = Write("websocket:\n  port: 1\na: {flag: true}\n");
  ASSERT_OK_AND_ASSIGN(Loaded loaded, Load({"--config", file}));
  EXPECT_EQ(loaded.values.Get(kPort), 1);
  EXPECT_TRUE(loaded.values.Get(kFlag));
  EXPECT_EQ(loaded.file, file);
  EXPECT_EQ(loaded.values.SourceOf("websocket.port"), "file " + file);

  ASSERT_OK_AND_ASSIGN(loaded, Load({}, {{"BDC_SYNC_CONFIG", file}, {"BDC_SYNC_WS_PORT", "2"}}));
  EXPECT_EQ(loaded.values.Get(kPort), 2);
  EXPECT_EQ(loaded.values.SourceOf("websocket.port"), "environment BDC_SYNC_WS_PORT");

  ASSERT_OK_AND_ASSIGN(loaded, Load({"--websocket.port=3"}, {{"BDC_SYNC_WS_PORT", "2"}}));
  EXPECT_EQ(loaded.values.Get(kPort), 3);
  EXPECT_EQ(loaded.values.SourceOf("websocket.port"), "flag --websocket.port");
}

TEST_F(LoaderTest, FlagsHaveManyForms) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--websocket.port=3"},
                                             {"--websocket.port", "3"},
                                             {"--ws-port=3"},
                                             {"--ws-port", "3"}}) {
    ASSERT_OK_AND_ASSIGN(const Loaded loaded, Load(arguments));
    EXPECT_EQ(loaded.values.Get(kPort), 3);
  }
  ASSERT_OK_AND_ASSIGN(Loaded loaded, Load({"--a-flag", "--jwt-secret=s"}));
  EXPECT_TRUE(loaded.values.Get(kFlag));
  EXPECT_EQ(loaded.values.Get(kSecret), "s");
  ASSERT_OK_AND_ASSIGN(loaded, Load({"--a-flag", "--a-flag", "false", "--ws-port", "-0"}));
  EXPECT_FALSE(loaded.values.Get(kFlag));
}

TEST_F(LoaderTest, FilesHoldListsMappingsAndDottedKeys) {
  const std::string file = Write(
      "websocket.port: 7\na:\n  hosts: [\"h:1\", \"h:2,3\"]\n  map:\n    0-31: \"dsn a=b,c\"\n");
  ASSERT_OK_AND_ASSIGN(const Loaded loaded, Load({"--config=" + file}));
  EXPECT_EQ(loaded.values.Get(kPort), 7);
  EXPECT_THAT(loaded.values.Get(kHosts), ElementsAre("h:1", "h:2,3"));
  EXPECT_THAT(loaded.values.Get(kMap), ElementsAre(Pair("0-31", "dsn a=b,c")));
}

TEST_F(LoaderTest, AllMistakesOfAllSourcesAreToldAtOnce) {
  const std::string file = Write("websocket:\n  prt: 1\na:\n  flag: perhaps\nb: 1\n");
  EXPECT_THAT(
      Mistakes({"--config", file, "--ws-prot=4", "--a.flag=x", "stray", "--websocket.port"},
               {{"BDC_SYNC_WS_PORT", "70000"}, {"BDC_SYNC_WS_PROT", "1"}, {"OTHER", "1"}}),
      ElementsAre("flag --ws-prot: unknown flag; did you mean --ws-port?",
                  "flag --a.flag: 'x' is not true or false", "argument 'stray': is not a flag",
                  "flag --websocket.port: needs a value",
                  "flag --websocket.port: '' is not a whole number (allowed: 0 to 65535)",
                  "file " + file + ":2: websocket.prt: unknown key; did you mean websocket.port?",
                  "file " + file + ":4: a.flag: 'perhaps' is not true or false",
                  "file " + file + ":5: b: unknown key",
                  "environment BDC_SYNC_WS_PORT: '70000' is not in range (allowed: 0 to 65535)",
                  "environment BDC_SYNC_WS_PROT: unknown name; did you mean BDC_SYNC_WS_PORT?"));
}

TEST_F(LoaderTest, ANameCutShortFindsTheKeyAndOneLikeNoneFindsNone) {
  EXPECT_THAT(Mistakes({"--conflict.decisions=1"},
                       {{"BDC_SYNC_CONFLICT_DECISIONS", "1"}, {"BDC_SYNC_WS_HEARTBEAT", "1"}}),
              ElementsAre("flag --conflict.decisions: unknown flag",
                          "environment BDC_SYNC_CONFLICT_DECISIONS: unknown name; did you mean "
                          "BDC_SYNC_CONFLICT_DECISIONS_MAX?",
                          "environment BDC_SYNC_WS_HEARTBEAT: unknown name"));
}

TEST_F(LoaderTest, AValueInThePlaceOfASectionIsToldAsThat) {
  const std::string file = Write("websocket: 7\nconflict: [1]\n");
  EXPECT_THAT(Mistakes({"--config", file}),
              ElementsAre("file " + file + ":1: websocket: is a section of keys, not a value",
                          "file " + file + ":2: conflict: is a section of keys, not a value"));
}

TEST_F(LoaderTest, BadFilesAreMistakesAndNotCrashes) {
  EXPECT_THAT(Mistakes({"--config", "/nowhere.yaml"}),
              ElementsAre("file /nowhere.yaml: cannot read /nowhere.yaml"));
  EXPECT_THAT(Mistakes({"--config", Write("a: [")}), ElementsAre(HasSubstr(path_ + ":")));
  EXPECT_THAT(Mistakes({"--config", Write("just text")}),
              ElementsAre(HasSubstr("is not a mapping")));
  EXPECT_THAT(Mistakes({"--config", Write("websocket:\n  port: [1]\n")}),
              ElementsAre(HasSubstr("takes a single value")));
  EXPECT_THAT(Mistakes({"--config", Write("websocket: {port: 1}\nwebsocket.port: 2\n")}),
              ElementsAre(HasSubstr("is set twice")));
  EXPECT_THAT(Mistakes({"--config", Write(std::string(1 << 20, '#') + "#")}),
              ElementsAre(HasSubstr("larger than 1 MiB")));
  EXPECT_OK(Load({"--config", Write("")}));
}

TEST_F(LoaderTest, SecretsComeFromFilesAndAreNeverShown) {
  const std::string file = Write("hush-hush\n");
  ASSERT_OK_AND_ASSIGN(const Loaded loaded, Load({}, {{"BDC_SYNC_JWT_SECRET_FILE", file}}));
  EXPECT_EQ(loaded.values.Get(kSecret), "hush-hush");
  const std::string yaml = PrintYaml(schema_, loaded.values);
  EXPECT_THAT(yaml, HasSubstr("jwt_secret: \"********\"  # environment BDC_SYNC_JWT_SECRET_FILE"));
  EXPECT_THAT(yaml, Not(HasSubstr("hush")));
  EXPECT_THAT(Mistakes({}, {{"BDC_SYNC_JWT_SECRET", "a"}, {"BDC_SYNC_SECURITY_JWT_SECRET", "b"}}),
              ElementsAre("environment BDC_SYNC_JWT_SECRET: sets security.jwt_secret, as "
                          "BDC_SYNC_SECURITY_JWT_SECRET does: use one"));
}

TEST_F(LoaderTest, EmptyVariablesCountAsUnset) {
  ASSERT_OK_AND_ASSIGN(const Loaded loaded, Load({}, {{"BDC_SYNC_WS_PORT", ""}}));
  EXPECT_EQ(loaded.values.Get(kPort), 8765);
}

TEST_F(LoaderTest, OthersVariablesAreLeftAlone) {
  EXPECT_OK(Load({}, {{"BDC_SYNC_TEST_POSTGRES", "x"},
                      {"BDC_SYNC_REQUIRE_POSTGRES", "1"},
                      {"BDC_SYNC_DEV_X", "x"},
                      {"BDC_SYNC_TOKEN", "x"},
                      {"BDC_SYNC_GATEWAY_SERVICE_HOST", "10.0.0.1"},
                      {"BDC_SYNC_GATEWAY_SERVICE_PORT_GRPC", "1"},
                      {"BDC_SYNC_GATEWAY_PORT", "tcp://10.0.0.1:8766"},
                      {"BDC_SYNC_GATEWAY_PORT_8766_TCP_ADDR", "10.0.0.1"}}));
}

TEST_F(LoaderTest, PrintedYamlIsReadAgain) {
  ASSERT_OK_AND_ASSIGN(const Loaded loaded,
                       Load({"--a.hosts=x:1,y:2", "--a.map=k=v \"q\"", "--ws-port=9"}));
  const std::string yaml = PrintYaml(schema_, loaded.values);
  EXPECT_THAT(yaml, HasSubstr("websocket:\n  port: 9  # flag --ws-port\n"));
  EXPECT_THAT(yaml, HasSubstr("  flag: false  # default\n"));
  ASSERT_OK_AND_ASSIGN(const Loaded again, Load({"--config", Write(yaml)}));
  for (const Key& key : schema_.keys()) {
    EXPECT_EQ(again.values.GetAny(key.name), loaded.values.GetAny(key.name)) << key.name;
  }
}

TEST_F(LoaderTest, AnswersRequestsEvenWhenOtherSourcesAreWrong) {
  ASSERT_OK_AND_ASSIGN(Loaded loaded, Load({"--help"}, {{"BDC_SYNC_WS_PORT", "x"}}));
  EXPECT_EQ(loaded.action, Action::kHelp);
  ASSERT_OK_AND_ASSIGN(loaded, Load({"--version"}, {{"BDC_SYNC_WS_PORT", "x"}}));
  EXPECT_EQ(loaded.action, Action::kVersion);
  ASSERT_OK_AND_ASSIGN(loaded, Load({"--print-config-docs"}));
  EXPECT_EQ(loaded.action, Action::kPrintConfigDocs);
  ASSERT_OK_AND_ASSIGN(loaded, Load({"--check-config", "--ws-port=1"}));
  EXPECT_EQ(loaded.action, Action::kCheckConfig);
}

TEST_F(LoaderTest, DocsAndHelpNameEveryKey) {
  const std::string docs = PrintDocs(schema_);
  EXPECT_THAT(docs, HasSubstr("| `websocket.port` | `BDC_SYNC_WS_PORT` | whole number | `8765` | "
                              "0 to 65535 | no | Where clients \\| connect. |"));
  EXPECT_THAT(docs, HasSubstr("`BDC_SYNC_SECURITY_JWT_SECRET`, `BDC_SYNC_JWT_SECRET`, `…_FILE`"));
  const std::string help = PrintHelp(schema_, "prog");
  for (const Key& key : schema_.keys()) EXPECT_THAT(help, HasSubstr("--" + key.name + ","));
}

TEST_F(LoaderTest, KeysOfOtherServicesArePassedOver) {
  const std::string file = Write(
      "websocket: {port: 1}\nstorage: {log_dsns: {0-31: x}}\nconflict: {decisions_max: -5}\n");
  ASSERT_OK_AND_ASSIGN(const Loaded loaded,
                       Load({"--config", file}, {{"BDC_SYNC_CONFLICT_DECISIONS_MAX", "x"},
                                                 {"BDC_SYNC_STORAGE_LOG_DSNS_FILE", "/nowhere"}}));
  EXPECT_EQ(loaded.values.Get(kPort), 1);
  EXPECT_EQ(
      PrintPassedOver(loaded.passed_over),
      "# Set, but for other services:\n"
      "#   storage.log_dsns (event-store)  file " +
          file +
          "\n"
          "#   conflict.decisions_max (conflict)  file " +
          file +
          "\n"
          "#   storage.log_dsns (event-store)  environment BDC_SYNC_STORAGE_LOG_DSNS_FILE\n"
          "#   conflict.decisions_max (conflict)  environment BDC_SYNC_CONFLICT_DECISIONS_MAX\n");
}

TEST_F(LoaderTest, NamesNearAKeyOfAnotherServiceAreStillMistakes) {
  const std::string file = Write("conflict: {decision_max: 1}\n");
  EXPECT_THAT(
      Mistakes({"--config", file, "--conflict.decisions_max=1"},
               {{"BDC_SYNC_CONFLICT_DECISION_MAX", "1"}}),
      ElementsAre("flag --conflict.decisions_max: is a key of conflict, not of this program",
                  "file " + file +
                      ":1: conflict.decision_max: unknown key; did you mean "
                      "conflict.decisions_max?",
                  "environment BDC_SYNC_CONFLICT_DECISION_MAX: unknown name; did you mean "
                  "BDC_SYNC_CONFLICT_DECISIONS_MAX?"));
}

}  // namespace
}  // namespace bdcsync::config
