// Good tokens of every algorithm, and forged ones of every kind. All keys are made here.
#include "services/gateway/auth/token_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/auth/base64url.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/testing/keys_dir.h"
#include "services/gateway/auth/testing/test_keys.h"
#include "services/gateway/auth/token_mint.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNow = 1'800'000'000;
constexpr char kSecret[] = "a secret of the tests, long enough";

std::string Payload(absl::string_view more = "") {
  return absl::StrCat(R"({"sub":"ada","exp":)", kNow + 600, more, "}");
}
std::string Header(absl::string_view algorithm, absl::string_view kid = "") {
  return kid.empty() ? absl::StrCat(R"({"alg":")", algorithm, R"("})")
                     : absl::StrCat(R"({"alg":")", algorithm, R"(","kid":")", kid, R"("})");
}

class TokenVerifierTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    rsa_ = new TestKey(MakeRsaKey());
    ec_ = new TestKey(MakeEcKey());
    ed_ = new TestKey(MakeEd25519Key());
  }
  static void TearDownTestSuite() {
    delete rsa_;
    delete ec_;
    delete ed_;
  }
  void SetUp() override {
    dir_.Write("rsa-1.pem", PublicPem(*rsa_));
    dir_.Write("ec-1.pem", PublicPem(*ec_));
    dir_.Write("ed-1.pem", PublicPem(*ed_));
    ASSERT_OK(keys_.Reload());
  }
  absl::StatusOr<Caller> Verify(absl::string_view token) { return verifier_.Verify(token); }

  static TestKey* rsa_;
  static TestKey* ec_;
  static TestKey* ed_;
  KeysDir dir_;
  KeyRing keys_{kSecret, dir_.path()};
  ManualClock clock_{absl::FromUnixSeconds(kNow)};
  TokenVerifier verifier_{keys_, clock_};
};
TestKey* TokenVerifierTest::rsa_;
TestKey* TokenVerifierTest::ec_;
TestKey* TokenVerifierTest::ed_;

TEST_F(TokenVerifierTest, AcceptsAllFourAlgorithms) {
  EXPECT_OK(Verify(SignTokenHs256(Header("HS256"), Payload(), kSecret)));
  EXPECT_OK(Verify(SignToken(Header("RS256", "rsa-1"), Payload(), *rsa_)));
  EXPECT_OK(Verify(SignToken(Header("ES256", "ec-1"), Payload(), *ec_)));
  EXPECT_OK(Verify(SignToken(Header("EdDSA", "ed-1"), Payload(), *ed_)));
}

TEST_F(TokenVerifierTest, FindsTheKeyOfATokenThatNamesNone) {
  EXPECT_OK(Verify(SignToken(Header("EdDSA"), Payload(), *ed_)));
}

TEST_F(TokenVerifierTest, ReadsTheClaims) {
  ASSERT_OK_AND_ASSIGN(
      const Caller caller,
      Verify(SignTokenHs256(
          Header("HS256"),
          Payload(R"(,"spaces":{"team-1":"write","team-2":"read"},"device_id":"d1","admin":true)"),
          kSecret)));
  EXPECT_EQ(caller.user_id, "ada");
  EXPECT_EQ(caller.device_id, "d1");
  EXPECT_TRUE(caller.admin);
  EXPECT_EQ(caller.spaces.at("team-1"), Access::kWrite);
  EXPECT_EQ(caller.spaces.at("team-2"), Access::kRead);
  EXPECT_EQ(caller.token_expires, absl::FromUnixSeconds(kNow + 600));
}

TEST_F(TokenVerifierTest, AcceptsWhatMintTokenMakes) {
  Caller caller;
  caller.user_id = "ada";
  caller.spaces["team-1"] = Access::kRead;
  caller.token_expires = absl::FromUnixSeconds(kNow + 60);
  ASSERT_OK_AND_ASSIGN(const Caller read, Verify(MintToken(caller, clock_.Now(), kSecret)));
  EXPECT_EQ(read.user_id, "ada");
  EXPECT_EQ(read.spaces, caller.spaces);
  EXPECT_EQ(read.token_expires, caller.token_expires);
  EXPECT_FALSE(read.admin);
}

TEST_F(TokenVerifierTest, RefusesUnsignedTokens) {
  for (const char* none : {"none", "None", "NONE", ""}) {
    EXPECT_THAT(Verify(UnsignedToken(Header(none), Payload())), HasReason(Reason::kUnauthenticated))
        << none;
  }
  // A real header, the signature left away.
  EXPECT_THAT(Verify(UnsignedToken(Header("HS256"), Payload())),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesAPublicKeyUsedAsASharedSecret) {
  const std::string header = Header("HS256", "rsa-1");
  EXPECT_THAT(Verify(SignTokenHs256(header, Payload(), PublicPem(*rsa_))),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignTokenHs256(Header("HS256"), Payload(), PublicPem(*rsa_))),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesAnAlgorithmThatIsNotTheKeys) {
  EXPECT_THAT(Verify(SignToken(Header("RS256", "ec-1"), Payload(), *ec_)),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignToken(Header("RS512", "rsa-1"), Payload(), *rsa_)),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignToken(R"({"kid":"rsa-1"})", Payload(), *rsa_)),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesOtherPeoplesKeys) {
  EXPECT_THAT(Verify(SignTokenHs256(Header("HS256"), Payload(), "another secret")),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignTokenHs256(Header("HS256"), Payload(), "")),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignToken(Header("ES256", "ec-1"), Payload(), MakeEcKey())),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(SignToken(Header("EdDSA", "nobody"), Payload(), *ed_)),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesAChangedTokenWhateverWasChanged) {
  const std::string token = SignToken(Header("ES256", "ec-1"), Payload(), *ec_);
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  const std::string payload = EncodeBase64Url(Payload(R"(,"admin":true)"));
  EXPECT_THAT(Verify(absl::StrCat(parts[0], ".", payload, ".", parts[2])),
              HasReason(Reason::kUnauthenticated));
  const std::string header = EncodeBase64Url(Header("ES256"));
  EXPECT_THAT(Verify(absl::StrCat(header, ".", parts[1], ".", parts[2])),
              HasReason(Reason::kUnauthenticated));
  std::string signature = *DecodeBase64Url(parts[2]);
  for (const size_t at : {size_t{0}, signature.size() - 1}) {
    std::string changed = signature;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_THAT(Verify(absl::StrCat(parts[0], ".", parts[1], ".", EncodeBase64Url(changed))),
                HasReason(Reason::kUnauthenticated));
  }
  signature.pop_back();
  EXPECT_THAT(Verify(absl::StrCat(parts[0], ".", parts[1], ".", EncodeBase64Url(signature))),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(
      Verify(absl::StrCat(parts[0], ".", parts[1], ".", EncodeBase64Url(std::string(64, '\0')))),
      HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesWhatIsNoToken) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("a.b"), std::string("a.b.c"),
        std::string("a.b.c.d"), std::string("..."), std::string(kTokenBytesMax + 1, 'a'),
        std::string("\xff\xfe.\0.x", 6), UnsignedToken("[]", "{}"), UnsignedToken("{", "{}")}) {
    EXPECT_THAT(Verify(text), HasReason(Reason::kUnauthenticated)) << text.substr(0, 20);
  }
}

TEST_F(TokenVerifierTest, RefusesPaddingAndForeignCharacters) {
  const std::string token = SignTokenHs256(Header("HS256"), Payload(), kSecret);
  EXPECT_THAT(Verify(token + "="), HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Verify(token + "\n"), HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesExtensionsThatItDoesNotKnow) {
  EXPECT_THAT(
      Verify(SignTokenHs256(R"({"alg":"HS256","crit":["b64"],"b64":false})", Payload(), kSecret)),
      HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, SaysExpiredFromTheSecondOfExpiry) {
  const std::string token = SignTokenHs256(Header("HS256"), Payload(), kSecret);
  clock_.Advance(absl::Seconds(600) - absl::Milliseconds(1));
  EXPECT_OK(Verify(token));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(Verify(token), HasReason(Reason::kTokenExpired));
}

TEST_F(TokenVerifierTest, ATokenMayEndWithTheLastYearThatHasATime) {
  const auto with = [&](int64_t exp) {
    return Verify(
        SignTokenHs256(Header("HS256"), absl::StrCat(R"({"sub":"ada","exp":)", exp, "}"), kSecret));
  };
  ASSERT_OK_AND_ASSIGN(const Caller caller, with(253402300799));
  EXPECT_EQ(absl::ToUnixMillis(caller.token_expires), 253402300799000);
  EXPECT_THAT(with(253402300800), HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, AForgedTokenIsNotCalledExpired) {
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Verify(SignTokenHs256(Header("HS256"), Payload(), "another secret")),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, AllowsForClocksThatDifferALittle) {
  const auto with = [&](absl::string_view name, int64_t seconds) {
    return Verify(SignTokenHs256(
        Header("HS256"), Payload(absl::StrCat(",\"", name, "\":", kNow + seconds)), kSecret));
  };
  EXPECT_OK(with("nbf", 30));
  EXPECT_THAT(with("nbf", 31), HasReason(Reason::kUnauthenticated));
  EXPECT_OK(with("iat", 30));
  EXPECT_THAT(with("iat", 31), HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, RefusesClaimsOfWrongTypes) {
  const auto verify = [&](absl::string_view payload) {
    return Verify(SignTokenHs256(Header("HS256"), payload, kSecret));
  };
  const std::string exp = absl::StrCat(R"("exp":)", kNow + 600);
  for (const std::string& payload :
       {absl::StrCat("{", exp, "}"), absl::StrCat(R"({"sub":"",)", exp, "}"),
        absl::StrCat(R"({"sub":7,)", exp, "}"), absl::StrCat(R"({"sub":"a b",)", exp, "}"),
        std::string(R"({"sub":"ada"})"), std::string(R"({"sub":"ada","exp":"soon"})"),
        std::string(R"({"sub":"ada","exp":1e400})"), std::string(R"({"sub":"ada","exp":-1})"),
        Payload(R"(,"spaces":["team-1"])"), Payload(R"(,"spaces":{"team-1":"own"})"),
        Payload(R"(,"spaces":{"team 1":"read"})"), Payload(R"(,"admin":"yes")"),
        Payload(R"(,"admin":1)"), Payload(R"(,"device_id":5)"),
        Payload(R"(,"device_id":"d\u0001")")}) {
    EXPECT_THAT(verify(payload), HasReason(Reason::kUnauthenticated)) << payload;
  }
}

TEST_F(TokenVerifierTest, NeverRepeatsTheToken) {
  const std::string token = SignTokenHs256(Header("HS256"), Payload(), "another secret");
  EXPECT_THAT(std::string(Verify(token).status().message()), Not(HasSubstr(token.substr(0, 20))));
}

TEST_F(TokenVerifierTest, TakesNewKeysWithoutARestartAndDropsOldOnes) {
  const TestKey next = MakeEd25519Key();
  const std::string old_token = SignToken(Header("EdDSA", "ed-1"), Payload(), *ed_);
  const std::string new_token = SignToken(Header("EdDSA", "ed-2"), Payload(), next);
  EXPECT_THAT(Verify(new_token), HasReason(Reason::kUnauthenticated));
  dir_.Write("ed-2.pem", PublicPem(next));
  ASSERT_OK(keys_.ReloadIfChanged());
  EXPECT_OK(Verify(new_token));
  EXPECT_OK(Verify(old_token));
  dir_.Remove("ed-1.pem");
  ASSERT_OK(keys_.ReloadIfChanged());
  EXPECT_OK(Verify(new_token));
  EXPECT_THAT(Verify(old_token), HasReason(Reason::kUnauthenticated));
}

TEST_F(TokenVerifierTest, KeepsTheKeysItHasWhenAFileIsBroken) {
  dir_.Write("broken.pem", "not a key");
  const absl::Status status = keys_.ReloadIfChanged();
  EXPECT_THAT(status, testing::StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr("broken.pem"));
  EXPECT_OK(Verify(SignToken(Header("EdDSA", "ed-1"), Payload(), *ed_)));
}

TEST_F(TokenVerifierTest, ReplacesTheSecret) {
  keys_.SetSecret("the next secret");
  EXPECT_OK(Verify(SignTokenHs256(Header("HS256"), Payload(), "the next secret")));
  EXPECT_THAT(Verify(SignTokenHs256(Header("HS256"), Payload(), kSecret)),
              HasReason(Reason::kUnauthenticated));
}

TEST(TokenVerifierWithoutKeys, AcceptsNobody) {
  KeyRing keys("", "");
  ManualClock clock(absl::FromUnixSeconds(kNow));
  TokenVerifier verifier(keys, clock);
  EXPECT_THAT(verifier.Verify(SignTokenHs256(Header("HS256"), Payload(), "")),
              HasReason(Reason::kUnauthenticated));
}

}  // namespace
}  // namespace bdcsync::gateway
