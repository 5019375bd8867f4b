#include "libs/base/hash.h"

#include <gtest/gtest.h>

namespace bdcsync {
namespace {

// These values are stored in databases: a change here loses the place of every space.
TEST(Hash, ValuesAreFixedForEver) {
  EXPECT_EQ(StableHash64(""), 0xefd01f60ba992926ull);
  EXPECT_EQ(StableHash64("user:ada"), 359069609770504032ull);
}

}  // namespace
}  // namespace bdcsync
