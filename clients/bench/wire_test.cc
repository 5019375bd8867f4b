#include "clients/bench/wire.h"

#include <gtest/gtest.h>

namespace bdcsync::bench {
namespace {

TEST(Wire, PayloadsHaveTheSizeAskedFor) {
  EXPECT_EQ(Payload(256, 7).size(), 256u);
  EXPECT_EQ(NumberAfter(Payload(256, 7), R"("stamp":)"), 7u);
}

TEST(Wire, TextIsFoundAfterTheLastKey) {
  EXPECT_EQ(TextAfterLast(R"({"cursor":"a","cursor":"b"})", R"("cursor":")"), "b");
  EXPECT_EQ(TextAfterLast(R"({"cursor":"a"})", R"("no":")"), "");
}

TEST(Wire, ASubscriptionGoesOnFromACursor) {
  EXPECT_EQ(SubscribeMessage("s").find("cursor"), std::string::npos);
  EXPECT_NE(SubscribeMessage("s", "c9").find(R"("cursor":"c9",)"), std::string::npos);
}

TEST(Wire, NumbersAreFoundAfterTheFirstAndTheLastKey) {
  const std::string text = R"([{"seq":12},{"seq":13}])";
  EXPECT_EQ(NumberAfter(text, R"("seq":)"), 12u);
  EXPECT_EQ(NumberAfterLast(text, R"("seq":)"), 13u);
  EXPECT_EQ(NumberAfter(text, R"("no":)"), std::nullopt);
}

}  // namespace
}  // namespace bdcsync::bench
