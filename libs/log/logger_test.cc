#include "libs/log/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "libs/log/capture.h"
#include "libs/log/render.h"

namespace bdcsync::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

const std::string kStart = R"({"time":"1970-01-01T00:00:00.000Z","level":)";

TEST(Logger, WritesOneJsonObjectForARecord) {
  CapturedLog log;
  const std::string space = "user:ada";
  log.logger().Info("stored", {{"space", space}, {"events", 3}, {"seconds", 0.25}, {"new", true}});
  EXPECT_THAT(log.lines(),
              ElementsAre(kStart + R"("info","service":"test","message":"stored",)"
                                   R"("space":"user:ada","events":3,"seconds":0.25,"new":true})"));
}

TEST(Logger, EscapesWhatJsonCannotHold) {
  CapturedLog log;
  log.logger().Warn(
      "a\"b\\c\n\r\t\x01",
      {{"bad", std::string("x\xff\xc3y\xed\xa0\x80")}, {"good", "ü€😀"}, {"infinite", 1.0 / 0.0}});
  EXPECT_THAT(log.lines().at(0), HasSubstr(R"("a\"b\\c\n\r\t\u0001")"));
  EXPECT_THAT(log.lines().at(0), HasSubstr(R"("bad":"x\ufffd\ufffdy\ufffd\ufffd\ufffd")"));
  EXPECT_THAT(log.lines().at(0), HasSubstr(R"("good":"ü€😀")"));
  EXPECT_THAT(log.lines().at(0), HasSubstr(R"("infinite":null)"));
}

TEST(Logger, CutsTextsAtTheLimit) {
  const auto cut = [](std::size_t bytes) {
    CapturedLog log;
    log.logger().Info(std::string(bytes, 'x'));
    return log.lines().at(0).find("…") != std::string::npos;
  };
  EXPECT_FALSE(cut(kTextBytesMax - 1));
  EXPECT_FALSE(cut(kTextBytesMax));
  EXPECT_TRUE(cut(kTextBytesMax + 1));
}

TEST(Logger, LevelsHoldBackWhatIsLess) {
  CapturedLog log;
  log.logger().SetLevel(Level::kWarn);
  log.logger().Debug("d");
  log.logger().Info("i");
  log.logger().Warn("w");
  log.logger().Error("e");
  log.logger().SetLevel(Level::kOff);
  log.logger().Error("never");
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("\"w\""), HasSubstr("\"e\"")));
}

TEST(Logger, ChildrenAddFieldsAndShareTheLevel) {
  CapturedLog log;
  std::string id = "r-1";
  const Logger child = log.logger().With({{"request_id", id}}).With({{"n", 1}});
  id = "overwritten";
  child.Info("m", {{"x", 2}});
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr(R"("m","request_id":"r-1","n":1,"x":2})")));
  log.logger().SetLevel(Level::kOff);
  EXPECT_FALSE(child.Enabled(Level::kError));
}

TEST(Logger, TextIsForPeople) {
  std::vector<std::string> lines;
  const ManualClock clock(absl::FromUnixMillis(1234));
  const Logger logger(
      MakeLineSink(Format::kText, [&](std::string line) { lines.push_back(std::move(line)); }),
      "gateway", clock, Level::kInfo);
  logger.Warn("two\nlines", {{"plain", "a"}, {"quoted", "a b"}, {"n", 1}});
  EXPECT_THAT(lines, ElementsAre("1970-01-01T00:00:01.234Z WARN  gateway  two\\nlines  plain=a  "
                                 "quoted=\"a b\"  n=1"));
}

TEST(Logger, NamesOfLevelsGoThereAndBack) {
  EXPECT_THAT(LevelFromName("warn"), Optional(Level::kWarn));
  EXPECT_EQ(LevelFromName("loud"), std::nullopt);
  EXPECT_FALSE(NullLogger().Enabled(Level::kError));
}

TEST(StderrSink, WritesEveryRecordBeforeFlushReturns) {
  const SystemClock clock;
  const Logger logger(MakeStderrSink(Format::kJson), "test", clock, Level::kInfo);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) logger.Info("record", {{"i", i}});
  logger.Flush();
  const std::string out = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1000);
  EXPECT_THAT(out, HasSubstr("\"i\":999}\n"));
}

TEST(Throttle, LetsOneThroughPerIntervalAndCountsTheRest) {
  ManualClock clock(absl::UnixEpoch());
  Throttle throttle(clock, absl::Seconds(10));
  EXPECT_THAT(throttle.Allow(), Optional(0));
  EXPECT_EQ(throttle.Allow(), std::nullopt);
  clock.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_EQ(throttle.Allow(), std::nullopt);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(throttle.Allow(), Optional(2));
}

}  // namespace
}  // namespace bdcsync::log
