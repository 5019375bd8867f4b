#include "services/gateway/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "libs/testing/status_matchers.h"
#include "services/gateway/options.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ConfigCheckTest : public ::testing::Test {
 protected:
  absl::Status Check(const std::vector<std::pair<std::string, std::string>>& settings) {
    config::Schema schema;
    DeclareGatewayConfig(schema);
    config::ValuesBuilder builder(schema);
    for (const auto& [name, text] : settings) builder.Set(name, text);
    warnings_.clear();
    const auto values = builder.Build();
    return values.ok() ? CheckGatewayConfig(*values, warnings_) : values.status();
  }

  std::vector<std::string> warnings_;
};

TEST_F(ConfigCheckTest, TokensNeedSomethingToBeCheckedWith) {
  EXPECT_THAT(Check({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(Check({{"security.jwt_keys_dir", "/keys"}}));
  EXPECT_OK(Check({{"security.jwt_secret", std::string(32, 's')}}));
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_OK(Check({{"security.require_authentication", "false"}}));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("for development only")));
}

TEST_F(ConfigCheckTest, ASecretBelow256BitsIsTakenWithAWarning) {
  const std::string secret(31, 's');
  EXPECT_OK(Check({{"security.jwt_secret", secret}}));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("shorter than 32 bytes")));
  EXPECT_THAT(warnings_, ElementsAre(Not(HasSubstr("sss"))));
}

}  // namespace
}  // namespace bdcsync::gateway
