#include "services/gateway/auth/key_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/auth/base64url.h"
#include "services/gateway/auth/testing/keys_dir.h"
#include "services/gateway/auth/testing/test_keys.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::string Jwks(std::initializer_list<json::Value> keys) {
  json::Value set;
  set.Set("keys", json::Value(json::Array(keys)));
  return json::Serialize(set);
}

// The input and signature of a token.
std::pair<std::string, std::string> Split(const std::string& token) {
  const size_t dot = token.rfind('.');
  return {token.substr(0, dot), *DecodeBase64Url(token.substr(dot + 1))};
}

TEST(KeyFilesTest, AKeyFromAJwksVerifiesAsTheOneItWasMadeOf) {
  for (const TestKey& key : {MakeRsaKey(), MakeEcKey(), MakeEd25519Key()}) {
    ASSERT_OK_AND_ASSIGN(const KeySet::Keys keys, KeysFromJwks(Jwks({PublicJwk(key, "k1")})));
    ASSERT_THAT(keys, SizeIs(1));
    EXPECT_EQ(keys[0]->kid(), "k1");
    auto [input, signature] = Split(SignToken("{}", "{}", key));
    EXPECT_TRUE(keys[0]->Verifies(input, signature)) << AlgorithmName(keys[0]->algorithm());
    EXPECT_FALSE(keys[0]->Verifies(input + "x", signature));
  }
}

TEST(KeyFilesTest, LeavesOutKeysForEncryption) {
  json::Value key = PublicJwk(MakeEd25519Key(), "k1");
  key.Set("use", "enc");
  ASSERT_OK_AND_ASSIGN(const KeySet::Keys keys, KeysFromJwks(Jwks({key})));
  EXPECT_THAT(keys, SizeIs(0));
}

TEST(KeyFilesTest, RefusesAJwksThatIsNotOne) {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[{}]})", R"({"keys":[7]})",
                           R"({"keys":[{"kid":"a","kty":"XYZ"}]})",
                           R"({"keys":[{"kid":"a","kty":"RSA","n":"","e":"AQAB"}]})",
                           R"({"keys":[{"kid":"a","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})",
                           R"({"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519","x":"AA"}]})",
                           R"({"keys":[{"kid":"a","kty":"OKP","crv":"X25519","x":"AA"}]})"}) {
    EXPECT_THAT(KeysFromJwks(text), StatusIs(kInvalid)) << text;
  }
}

TEST(KeyFilesTest, RefusesAPointThatIsNotOnTheCurve) {
  json::Value key = PublicJwk(MakeEcKey(), "k1");
  key.Set("y", EncodeBase64Url(std::string(32, '\1')));
  EXPECT_THAT(KeysFromJwks(Jwks({key})), StatusIs(kInvalid));
}

TEST(KeyFilesTest, RefusesAnAlgorithmThatDoesNotFitTheKey) {
  json::Value key = PublicJwk(MakeRsaKey(), "k1");
  key.Set("alg", "RS512");
  EXPECT_THAT(KeysFromJwks(Jwks({key})), StatusIs(kInvalid));
  key.Set("alg", "RS256");
  EXPECT_OK(KeysFromJwks(Jwks({key})));
}

TEST(KeyFilesTest, RefusesWeakAndForeignKeys) {
  EXPECT_THAT(KeyFromPem("a", PublicPem(MakeRsaKey(1024))), StatusIs(kInvalid));
  EXPECT_THAT(KeyFromPem("a", PublicPem(MakeEcKey("P-384"))), StatusIs(kInvalid));
  EXPECT_THAT(KeyFromPem("a", ""), StatusIs(kInvalid));
}

TEST(KeyFilesTest, ReadsAFolderAndLeavesHiddenFilesOut) {
  KeysDir dir;
  dir.Write("one.pem", PublicPem(MakeEd25519Key()));
  dir.Write("set.json",
            Jwks({PublicJwk(MakeEcKey(), "two"), PublicJwk(MakeEd25519Key(), "three")}));
  dir.Write(".hidden.pem", "not a key");
  dir.Write("README", "not a key");
  ASSERT_OK_AND_ASSIGN(const KeySet::Keys keys, ReadKeysDir(dir.path()));
  EXPECT_THAT(keys, SizeIs(3));
}

TEST(KeyFilesTest, RefusesTwoKeysWithOneName) {
  KeysDir dir;
  dir.Write("one.pem", PublicPem(MakeEd25519Key()));
  dir.Write("set.json", Jwks({PublicJwk(MakeEcKey(), "one")}));
  const auto keys = ReadKeysDir(dir.path());
  EXPECT_THAT(keys, StatusIs(kInvalid));
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("one"));
}

TEST(KeyFilesTest, RefusesAFolderThatIsNotThereAndAFileThatIsTooLarge) {
  EXPECT_THAT(ReadKeysDir("/nonexistent/keys"), StatusIs(kInvalid));
  KeysDir dir;
  dir.Write("large.pem", std::string(kKeyFileBytesMax + 1, 'a'));
  const auto keys = ReadKeysDir(dir.path());
  EXPECT_THAT(keys, StatusIs(kInvalid));
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("large.pem"));
}

}  // namespace
}  // namespace bdcsync::gateway
