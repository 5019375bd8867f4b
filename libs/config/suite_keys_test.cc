#include "libs/config/suite_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace bdcsync::config {
namespace {

TEST(SuiteKeysTest, KnowsKeysOfEveryServiceAndWhatTheyAre) {
  std::set<absl::string_view> services;
  std::set<absl::string_view> names;
  for (const SuiteKey& key : SuiteKeys()) {
    services.insert(key.service);
    EXPECT_TRUE(names.insert(key.name).second) << key.name << " is declared twice";
  }
  EXPECT_EQ(services, (std::set<absl::string_view>{"conflict", "device-sync", "event-store",
                                                   "gateway", "version"}));
  const SuiteKey* const secret = FindKey(SuiteKeys(), "security.jwt_secret");
  ASSERT_NE(secret, nullptr);
  EXPECT_TRUE(secret->secret);
  EXPECT_TRUE(secret->reloadable);
  EXPECT_EQ(secret->env_alias, "BDC_SYNC_JWT_SECRET");
  const SuiteKey* const port = FindKey(SuiteKeys(), "websocket.port");
  ASSERT_NE(port, nullptr);
  EXPECT_EQ(port->service, "gateway");
  EXPECT_FALSE(port->reloadable);
  EXPECT_EQ(FindKey(SuiteKeys(), "websocket.prt"), nullptr);
}

}  // namespace
}  // namespace bdcsync::config
