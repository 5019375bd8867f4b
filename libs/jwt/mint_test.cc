#include "libs/jwt/mint.h"

#include <gtest/gtest.h>

namespace bdcsync::jwt {
namespace {

TEST(MintTest, TheExampleOfJwtIoComesOutByteForByte) {
  json::Value claims;
  claims.Set("sub", "1234567890");
  claims.Set("name", "John Doe");
  claims.Set("iat", 1516239022);
  EXPECT_EQ(MintHs256(claims, "your-256-bit-secret"),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
            "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
            "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c");
}

TEST(MintTest, Base64UrlHasItsOwnAlphabetAndNoPadding) {
  EXPECT_EQ(EncodeBase64Url(""), "");
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(EncodeBase64Url("f"), "Zg");
}

}  // namespace
}  // namespace bdcsync::jwt
