#include "clients/bench/wire.h"

#include <gtest/gtest.h>

namespace bdcsync::bench {
namespace {

TEST(Wire, PayloadsHaveTheSizeAskedFor) {
  EXPECT_EQ(Payload(256, 7).size(), 256u);
  EXPECT_EQ(NumberAfter(Payload(256, 7), R"("stamp":)"), 7u);
}

TEST(Wire, NumbersAreFoundAfterTheFirstAndTheLastKey) {
  const std::string text = R"([{"seq":12},{"seq":13}])";
  EXPECT_EQ(NumberAfter(text, R"("seq":)"), 12u);
  EXPECT_EQ(NumberAfterLast(text, R"("seq":)"), 13u);
  EXPECT_EQ(NumberAfter(text, R"("no":)"), std::nullopt);
}

}  // namespace
}  // namespace bdcsync::bench
