#include "libs/base/edit_distance.h"

#include <gtest/gtest.h>

namespace bdcsync {
namespace {

TEST(EditDistanceTest, CountsWhatIsInsertedDeletedAndReplaced) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("watch", "watch"), 0u);
  EXPECT_EQ(EditDistance("", "put"), 3u);
  EXPECT_EQ(EditDistance("put", ""), 3u);
  EXPECT_EQ(EditDistance("wach", "watch"), 1u);
  EXPECT_EQ(EditDistance("watchh", "watch"), 1u);
  EXPECT_EQ(EditDistance("match", "watch"), 1u);
  EXPECT_EQ(EditDistance("wtach", "watch"), 2u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace bdcsync
