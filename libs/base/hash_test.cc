#include "libs/base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace bdcsync {
namespace {

// These values are stored in databases: a change here loses the place of every space.
TEST(Hash, ValuesAreFixedForEver) {
  EXPECT_EQ(StableHash64(""), 0xefd01f60ba992926ull);
  EXPECT_EQ(StableHash64("user:ada"), 359069609770504032ull);
}

TEST(Hash, ValuesOfTextsAreFixedForEver) {
  EXPECT_EQ(StableHash64OfText(""), 0u);
  EXPECT_EQ(StableHash64OfText("12345678"), 0x2d34f72f8a33843bull);
  EXPECT_EQ(StableHash64OfText("a text of more than two words"), 0x41b062f8e465ebb8ull);
  EXPECT_EQ(StableHash64OfText("ab", StableHash64OfText("c")), 0x72bf58b7023819deull);
}

TEST(Hash, EveryByteOfATextCounts) {
  const std::string text(100, 'x');
  for (size_t size = 0; size <= text.size(); ++size) {
    const uint64_t whole = StableHash64OfText(text.substr(0, size));
    EXPECT_NE(whole, StableHash64OfText(text.substr(0, size) + '\0')) << size;
    for (size_t i = 0; i < size; ++i) {
      std::string other = text.substr(0, size);
      other[i] = 'y';
      EXPECT_NE(whole, StableHash64OfText(other)) << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace bdcsync
