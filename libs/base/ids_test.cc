#include "libs/base/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

namespace bdcsync {
namespace {

TEST(Ids, UuidsHaveVersionAndVariant) {
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = MakeUuid(random);
    ASSERT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[14], '4');
    EXPECT_THAT(std::string("89ab"), testing::HasSubstr(std::string(1, uuid[19])));
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(Ids, TimeOrderedUuidsSortByTime) {
  SeededRandom random(1);
  const absl::Time time = absl::FromUnixMillis(0x0123456789ab);
  const std::string uuid = MakeTimeOrderedUuid(time, random);
  ASSERT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid.substr(0, 15), "01234567-89ab-7");
  EXPECT_THAT(std::string("89ab"), testing::HasSubstr(std::string(1, uuid[19])));
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string later = MakeTimeOrderedUuid(time + absl::Milliseconds(1), random);
    EXPECT_LT(uuid, later);
    EXPECT_TRUE(seen.insert(later).second);
  }
}

TEST(Ids, Hex64GoesThereAndBack) {
  uint64_t bits = 0;
  EXPECT_EQ(Hex64(0x0123456789abcdefull), "0123456789abcdef");
  ASSERT_TRUE(ParseHex64("0123456789abcdef", bits));
  EXPECT_EQ(bits, 0x0123456789abcdefull);
  EXPECT_FALSE(ParseHex64("0123456789ABCDEF", bits));
  EXPECT_FALSE(ParseHex64("123", bits));
}

}  // namespace
}  // namespace bdcsync
