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

TEST(Wire, APatchSaysWhatItChanges) {
  const Written entity{.space = "s", .id = "e", .stamp = 4, .version_id = "2-ab", .versions = 2};
  EXPECT_NE(PatchMessage(1, 5, entity, 9)
                .find(R"("operation":"patch","base_version":"2-ab","patch":{"stamp":9}})"),
            std::string::npos);
  EXPECT_EQ(ShareDbPatchMessage(5, entity, 9), R"({"a":"op","c":"s","d":"e","seq":5,"x":{},"v":2,)"
                                               R"("op":[{"p":["stamp"],"od":4,"oi":9}]})");
}

TEST(Wire, NumbersAreFoundAfterTheFirstAndTheLastKey) {
  const std::string text = R"([{"seq":12},{"seq":13}])";
  EXPECT_EQ(NumberAfter(text, R"("seq":)"), 12u);
  EXPECT_EQ(NumberAfterLast(text, R"("seq":)"), 13u);
  EXPECT_EQ(NumberAfter(text, R"("no":)"), std::nullopt);
}

}  // namespace
}  // namespace bdcsync::bench
