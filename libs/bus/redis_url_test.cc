#include "libs/bus/redis_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/bus/open.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::bus {
namespace {

using bdcsync::testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(RedisUrlTest, HostAndPortAreRead) {
  ASSERT_OK_AND_ASSIGN(const auto nodes, ParseRedisUrls("redis://cache.example:7000"));
  ASSERT_THAT(nodes, SizeIs(1));
  EXPECT_EQ(nodes[0].host, "cache.example");
  EXPECT_EQ(nodes[0].port, 7000);
  EXPECT_EQ(nodes[0].user, "");
  EXPECT_EQ(nodes[0].password, "");
}

TEST(RedisUrlTest, PortUserAndPasswordHaveDefaults) {
  ASSERT_OK_AND_ASSIGN(const auto plain, ParseRedisUrls("redis://h"));
  EXPECT_EQ(plain[0].port, 6379);
  ASSERT_OK_AND_ASSIGN(const auto full, ParseRedisUrls("redis://u%3a:p%40%2F@[::1]:1/0"));
  EXPECT_EQ(full[0].user, "u:");
  EXPECT_EQ(full[0].password, "p@/");
  EXPECT_EQ(full[0].host, "::1");
  EXPECT_EQ(full[0].port, 1);
}

TEST(RedisUrlTest, SeveralNodesAreSeparatedByCommas) {
  ASSERT_OK_AND_ASSIGN(const auto nodes, ParseRedisUrls("redis://a:1, redis://b:2"));
  ASSERT_THAT(nodes, SizeIs(2));
  EXPECT_EQ(nodes[1].host, "b");
  EXPECT_EQ(nodes[1].Name(), "redis://b:2");
}

class BadRedisUrl : public ::testing::TestWithParam<const char*> {};

TEST_P(BadRedisUrl, IsRefusedWithoutShowingASecret) {
  const auto opened = OpenBus(GetParam(), {});
  EXPECT_THAT(opened, HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(opened.status().ToString(), Not(HasSubstr("s3cret")));
}

INSTANTIATE_TEST_SUITE_P(All, BadRedisUrl,
                         ::testing::Values("", "memory", "http://h:1", "rediss://h:1", "redis://",
                                           "redis://:1", "redis://h:", "redis://h:0",
                                           "redis://h:65536", "redis://h:x", "redis://h/x",
                                           "redis://[::1", "redis://[::1]x", "redis://u@h",
                                           "redis://:s3cret%@h", "redis://:s3cret%g0@h",
                                           "redis://h:1,", "redis://a:1,memory:"));

}  // namespace
}  // namespace bdcsync::bus
