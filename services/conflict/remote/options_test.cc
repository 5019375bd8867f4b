#include "services/conflict/remote/options.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/rpc/config.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/remote/config.h"

namespace bdcsync::conflict {
namespace {

using ::testing::HasSubstr;

using Settings = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<std::map<std::string, ResolverOptions>> From(const Settings& settings) {
  config::Schema schema;
  DeclareRemoteConfig(schema);
  rpc::DeclareConfig(schema);
  config::ValuesBuilder builder(schema);
  for (const auto& [name, text] : settings) builder.Set(name, text);
  const auto values = builder.Build();
  if (!values.ok()) return values.status();
  return ResolverOptionsFrom(*values);
}

TEST(ResolverOptionsTest, NoneByDefault) {
  ASSERT_OK_AND_ASSIGN(const auto resolvers, From({}));
  EXPECT_TRUE(resolvers.empty());
}

TEST(ResolverOptionsTest, EachHasAnAddressAndMayHaveADeadlineAndDocumentsOfItsOwn) {
  ASSERT_OK_AND_ASSIGN(const auto resolvers,
                       From({{"conflict.resolvers", "price=127.0.0.1:9,stock=dns:///stock:9"},
                             {"conflict.resolver_deadline", "100ms"},
                             {"conflict.resolver_deadlines", "stock=1s"},
                             {"conflict.resolver_documents", "price=64KiB"}}));
  EXPECT_EQ(resolvers.at("price").address, "127.0.0.1:9");
  EXPECT_EQ(resolvers.at("price").line.deadline, absl::Milliseconds(100));
  EXPECT_EQ(resolvers.at("price").line.question.documents_bytes_max, size_t{64} << 10);
  EXPECT_EQ(resolvers.at("stock").address, "dns:///stock:9");
  EXPECT_EQ(resolvers.at("stock").line.deadline, absl::Seconds(1));
  EXPECT_EQ(resolvers.at("stock").line.question.documents_bytes_max, 0u);
}

TEST(ResolverOptionsTest, ACallStaysBelowTheLargestMessage) {
  ASSERT_OK_AND_ASSIGN(const auto resolvers, From({{"conflict.resolvers", "price=x:1"},
                                                   {"conflict.resolver_batch_bytes_max", "64MiB"},
                                                   {"conflict.resolver_documents", "price=8MiB"},
                                                   {"grpc.max_message_bytes", "16MiB"}}));
  EXPECT_EQ(resolvers.at("price").line.batch_bytes_max, size_t{8} << 20);
  EXPECT_EQ(resolvers.at("price").line.question.documents_bytes_max, size_t{4} << 20);
}

TEST(ResolverOptionsTest, MistakesNameTheKeyAndTheResolver) {
  const auto mistake = [](const Settings& settings) {
    return std::string(From(settings).status().message());
  };
  EXPECT_THAT(mistake({{"conflict.resolvers", "a b=x:1"}}), HasSubstr("conflict.resolvers: a b"));
  EXPECT_THAT(mistake({{"conflict.resolvers", "price="}}), HasSubstr("has no address"));
  EXPECT_THAT(mistake({{"conflict.resolvers", std::string(65, 'a') + "=x:1"}}),
              HasSubstr("64 letters"));
  EXPECT_OK(From({{"conflict.resolvers", std::string(64, 'a') + "=x:1"}}));
  EXPECT_THAT(
      mistake({{"conflict.resolvers", "price=x:1"}, {"conflict.resolver_deadlines", "prize=1s"}}),
      HasSubstr("conflict.resolver_deadlines: prize: not in conflict.resolvers"));
  for (const char* const wrong : {"price=soon", "price=0s", "price=11s"}) {
    EXPECT_THAT(
        mistake({{"conflict.resolvers", "price=x:1"}, {"conflict.resolver_deadlines", wrong}}),
        HasSubstr("conflict.resolver_deadlines: price: "));
  }
  EXPECT_THAT(
      mistake({{"conflict.resolvers", "price=x:1"}, {"conflict.resolver_documents", "price=all"}}),
      HasSubstr("conflict.resolver_documents: price: "));
}

TEST(ResolverOptionsTest, TheirNumberIsLimited) {
  std::string resolvers = "r0=x:1";
  for (size_t i = 1; i < kResolversMax; ++i) absl::StrAppend(&resolvers, ",r", i, "=x:1");
  EXPECT_OK(From({{"conflict.resolvers", resolvers}}));
  EXPECT_FALSE(From({{"conflict.resolvers", resolvers + ",more=x:1"}}).ok());
}

}  // namespace
}  // namespace bdcsync::conflict
