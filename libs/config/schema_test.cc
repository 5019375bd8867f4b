#include "libs/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/config/values.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
namespace status = ::bdcsync::testing;

constexpr Int kPort{
    .name = "websocket.port", .default_value = 8765, .min = 0, .max = 65535, .doc = "A port."};
constexpr Bool kFlag{.name = "a.flag", .default_value = true, .doc = "A flag."};
constexpr Duration kWait{.name = "a.wait",
                         .default_value = absl::Seconds(30),
                         .min = absl::Seconds(1),
                         .max = absl::Hours(1),
                         .doc = "A wait.",
                         .reloadable = true};
constexpr Bytes kSize{
    .name = "a.size", .default_value = 8 << 20, .min = 1 << 10, .max = 1 << 30, .doc = "A size."};
constexpr Double kRate{
    .name = "a.rate", .default_value = 0.5, .min = 0, .max = 1, .doc = "A rate."};
constexpr String kLevel{
    .name = "a.level", .default_value = "info", .choices = "debug,info", .doc = "A level."};
constexpr StringList kHosts{.name = "a.hosts", .default_value = "x:1, y:2", .doc = "Hosts."};
constexpr StringMap kMap{.name = "a.map", .default_value = "0-3=one", .doc = "A map."};

Schema All() {
  Schema schema;
  schema.Add(kPort);
  schema.Add(kFlag);
  schema.Add(kWait);
  schema.Add(kSize);
  schema.Add(kRate);
  schema.Add(kLevel);
  schema.Add(kHosts);
  schema.Add(kMap);
  return schema;
}

absl::StatusOr<Values> With(absl::string_view name, absl::string_view text) {
  const Schema schema = All();
  return ValuesBuilder(schema).Set(name, text).Build();
}

TEST(Schema, GivesDefaultsOfEveryType) {
  const Schema schema = All();
  ASSERT_OK_AND_ASSIGN(const Values values, ValuesBuilder(schema).Build());
  EXPECT_EQ(values.Get(kPort), 8765);
  EXPECT_TRUE(values.Get(kFlag));
  EXPECT_EQ(values.Get(kWait), absl::Seconds(30));
  EXPECT_EQ(values.Get(kSize), 8 << 20);
  EXPECT_EQ(values.Get(kRate), 0.5);
  EXPECT_EQ(values.Get(kLevel), "info");
  EXPECT_THAT(values.Get(kHosts), ElementsAre("x:1", "y:2"));
  EXPECT_THAT(values.Get(kMap), ElementsAre(Pair("0-3", "one")));
  EXPECT_FALSE(values.IsSet("a.flag"));
}

TEST(Schema, TakesTheSameKeyTwiceButNotTwoOfOneName) {
  Schema schema = All();
  schema.Add(kPort);
  EXPECT_EQ(schema.keys().size(), 8u);
  EXPECT_EQ(schema.keys().front().name, "websocket.port");
  Int other = kPort;
  other.default_value = 1;
  EXPECT_DEATH(schema.Add(other), "websocket.port is declared twice");
}

TEST(Schema, RefusesAKeyThatIsAlsoASectionAndADefaultOutOfRange) {
  Schema schema = All();
  EXPECT_DEATH(schema.Add(Bool{.name = "a", .doc = "x"}), "a section and a value");
  EXPECT_DEATH(schema.Add(Bool{.name = "a.flag.more", .doc = "x"}), "a section and a value");
  EXPECT_DEATH(schema.Add(Int{.name = "b", .default_value = 5, .max = 4, .doc = "x"}),
               "outside its range");
  EXPECT_DEATH(schema.Add(Bool{.name = "b"}), "no sentence");
}

TEST(Schema, ReadingAnUndeclaredKeyOrAnotherTypeIsABug) {
  ASSERT_OK_AND_ASSIGN(const Values values, With("a.flag", "false"));
  EXPECT_DEATH(values.Get(Int{.name = "b"}), "b is read but was not declared");
  EXPECT_DEATH(values.Get(Int{.name = "a.flag"}), "a.flag is read as another type");
}

TEST(Schema, NamesFollowTheKey) {
  EXPECT_EQ(EnvironmentName("websocket.heartbeat_interval"), "BDC_SYNC_WS_HEARTBEAT_INTERVAL");
  EXPECT_EQ(EnvironmentName("data_dir"), "BDC_SYNC_DATA_DIR");
  EXPECT_EQ(KebabFlag("websocket.port"), "--ws-port");
}

struct Accepted {
  std::string name;
  std::string text;
  std::string formatted;
};
class AcceptedValues : public ::testing::TestWithParam<Accepted> {};

TEST_P(AcceptedValues, IsReadAndWrittenBack) {
  const Schema schema = All();
  const Key& key = *schema.Find(GetParam().name);
  ASSERT_OK_AND_ASSIGN(const Value value, ParseValue(key, GetParam().text));
  EXPECT_EQ(FormatValue(key, value), GetParam().formatted);
  ASSERT_OK_AND_ASSIGN(const Value again, ParseValue(key, GetParam().formatted));
  EXPECT_EQ(value, again);
}

INSTANTIATE_TEST_SUITE_P(
    Values, AcceptedValues,
    ::testing::Values(Accepted{"websocket.port", " 0 ", "0"},
                      Accepted{"websocket.port", "65535", "65535"},
                      Accepted{"a.flag", "no", "false"}, Accepted{"a.flag", "1", "true"},
                      Accepted{"a.wait", "1s", "1s"}, Accepted{"a.wait", "1h", "1h"},
                      Accepted{"a.wait", "1500ms", "1.5s"}, Accepted{"a.wait", "1m30s", "1m30s"},
                      Accepted{"a.size", "1024", "1KiB"}, Accepted{"a.size", "64 KiB", "64KiB"},
                      Accepted{"a.size", "5MB", "5000000"}, Accepted{"a.size", "1GiB", "1GiB"},
                      Accepted{"a.rate", "0.25", "0.25"}, Accepted{"a.level", "debug", "debug"},
                      Accepted{"a.hosts", "a:1,,  b:2 ", "a:1,b:2"}, Accepted{"a.hosts", "", ""},
                      Accepted{"a.map", "x=1, y=a=b", "x=1,y=a=b"}));

struct Refused {
  std::string name;
  std::string text;
  std::string problem;
};
class RefusedValues : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedValues, SaysWhatIsWrongAndWhatIsAllowed) {
  const auto values = With(GetParam().name, GetParam().text);
  EXPECT_THAT(values, status::StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(values.status().message()), HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Values, RefusedValues,
    ::testing::Values(
        Refused{"websocket.port", "abc", "'abc' is not a whole number (allowed: 0 to 65535)"},
        Refused{"websocket.port", "-1", "'-1' is not in range (allowed: 0 to 65535)"},
        Refused{"websocket.port", "65536", "not in range"},
        Refused{"websocket.port", "99999999999999999999", "not a whole number"},
        Refused{"a.flag", "maybe", "true or false"},
        Refused{"a.wait", "999ms", "(allowed: 1s to 1h)"},
        Refused{"a.wait", "3601s", "not in range"}, Refused{"a.wait", "30", "a duration such as"},
        Refused{"a.wait", "inf", "not in range"}, Refused{"a.size", "1023", "not in range"},
        Refused{"a.size", "1025MiB", "not in range"}, Refused{"a.size", "9999999999TiB", "a size"},
        Refused{"a.size", "-1", "a size"}, Refused{"a.rate", "1.01", "not in range"},
        Refused{"a.rate", "nan", "not a number"},
        Refused{"a.level", "loud", "'loud' is not known (allowed: debug, info)"},
        Refused{"a.map", "x", "of the form name=value"},
        Refused{"a.map", "x=1,x=2", "the only value of its name"},
        Refused{"a.flog", "true", "unknown key; did you mean a.flag?"}));

TEST(Reload, AppliesOnlyWhatMayChangeAndTellsTheRest) {
  const Schema schema = All();
  ASSERT_OK_AND_ASSIGN(const Values before, ValuesBuilder(schema).Build());
  ASSERT_OK_AND_ASSIGN(
      const Values loaded,
      ValuesBuilder(schema).Set("a.wait", "5s").Set("websocket.port", "1").Build());
  const Reload reload = ApplyReload(schema, before, loaded);
  EXPECT_EQ(reload.values.Get(kWait), absl::Seconds(5));
  EXPECT_EQ(reload.values.Get(kPort), 8765);
  EXPECT_THAT(reload.changed, ElementsAre("a.wait"));
  EXPECT_THAT(reload.unapplied, ElementsAre("websocket.port"));
}

}  // namespace
}  // namespace bdcsync::config
