// What is read from files and streams, at the edges of its limits.
#include "clients/cli/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "libs/testing/status_matchers.h"

namespace bdcsync::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::size_t kPartBytes = 65536;  // What is read at once.

// Every line with whether it is whole.
std::vector<std::pair<std::string, bool>> Lines(const std::string& text, std::size_t bytes_max) {
  std::istringstream in(text);
  std::vector<std::pair<std::string, bool>> lines;
  std::string line;
  bool whole = false;
  while (ReadLine(in, line, whole, bytes_max)) lines.emplace_back(line, whole);
  return lines;
}

TEST(InputTest, LinesEndAtNewlinesAndAtTheEnd) {
  EXPECT_THAT(Lines("a\n\nb", 9), ElementsAre(Pair("a", true), Pair("", true), Pair("b", true)));
  EXPECT_THAT(Lines("a\n", 9), ElementsAre(Pair("a", true)));
  EXPECT_THAT(Lines("", 9), ElementsAre());
}

TEST(InputTest, LinesAreReadWholeWhateverIsReadAtOnce) {
  for (std::size_t size = kPartBytes - 2; size <= kPartBytes + 1; ++size) {
    const std::string line(size, 'x');
    EXPECT_THAT(Lines(line + "\nnext", 2 * kPartBytes),
                ElementsAre(Pair(line, true), Pair("next", true)));
    EXPECT_THAT(Lines(line, 2 * kPartBytes), ElementsAre(Pair(line, true)));
  }
}

TEST(InputTest, OfALongLineTheBeginningIsKeptAndTheNextIsRead) {
  EXPECT_THAT(Lines("12345\n123456\nnext\n", 5),
              ElementsAre(Pair("12345", true), Pair("12345", false), Pair("next", true)));
  const std::string line(3 * kPartBytes, 'x');
  EXPECT_THAT(Lines(line + "\nnext", kPartBytes),
              ElementsAre(Pair(line.substr(0, kPartBytes), false), Pair("next", true)));
}

TEST(InputTest, WhatIsReadAsAWholeHasALimit) {
  std::istringstream fits("12345");
  EXPECT_EQ(*ReadAll(fits, "it", 5), "12345");
  std::istringstream does_not("123456");
  const absl::Status status = ReadAll(does_not, "it", 5).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("it has more than 5 bytes"));
}

}  // namespace
}  // namespace bdcsync::cli
