#include "services/standalone/greeting.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "libs/testing/status_matchers.h"
#include "services/standalone/development_secret.h"

namespace bdcsync::standalone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Greeting, SaysWhereItListensAndHowToTryIt) {
  GreetingInfo info{.program = "bdc-sync", .host = "127.0.0.1", .websocket_port = 8765};
  info.grpc_port = 9999;
  info.data_dir = "/tmp/x";
  info.secret = "secret";
  const std::string text = Greeting(info);
  EXPECT_THAT(text, HasSubstr("ws://127.0.0.1:8765/"));
  EXPECT_THAT(text, HasSubstr("bdc-sync watch --data-dir /tmp/x --address 127.0.0.1:9999"));
  EXPECT_THAT(text, HasSubstr("  ey"));  // A token.
}

TEST(Greeting, WhatItSaysToPasteWorks) {
  GreetingInfo info{.program = "my bin/bdc-sync", .host = "::1", .websocket_port = 0};
  info.grpc_port = 8766;  // The default, but not where a command looks for it.
  info.data_dir = "/tmp/Ada's data";
  info.secret = "secret";
  std::string text = Greeting(info);
  EXPECT_THAT(text, HasSubstr("'my bin/bdc-sync' watch --data-dir '/tmp/Ada'\\''s data'"
                              " --address '[::1]:8766'\n"));
  EXPECT_THAT(text, HasSubstr("WebSocket  on a free port"));
  EXPECT_THAT(text, HasSubstr("http://[::1]:"));
  info.host = "0.0.0.0";
  EXPECT_THAT(Greeting(info), Not(HasSubstr("--address")));
  info.host = "10.0.0.1";
  EXPECT_THAT(Greeting(info), HasSubstr(" --address 10.0.0.1:8766\n"));
}

TEST(Greeting, TellsOfTls) {
  GreetingInfo info{.program = "bdc-sync", .host = "h", .websocket_port = 1};
  info.secret = "secret";
  EXPECT_THAT(Greeting(info), Not(HasSubstr("--tls-ca")));
  info.websocket_tls = info.grpc_tls = info.http_tls = true;
  const std::string text = Greeting(info);
  EXPECT_THAT(text, HasSubstr("wss://h:1/"));
  EXPECT_THAT(text, HasSubstr("https://h:"));
  EXPECT_THAT(text, HasSubstr(" --tls-ca ca.pem\n"));
}

TEST(DevelopmentSecret, AFolderInItsPlaceIsAnError) {
  std::string folder = ::testing::TempDir() + "secret-XXXXXX";
  folder = mkdtemp(folder.data());
  std::filesystem::create_directory(folder + "/secret");
  EXPECT_EQ(DevelopmentSecret(folder).status().code(), absl::StatusCode::kUnavailable);
  std::filesystem::remove_all(folder);
}

TEST(Greeting, ShowsNoTokenOfASecretThatTheOperatorGave) {
  EXPECT_THAT(Greeting({.program = "bdc-sync"}), Not(HasSubstr("token")));
}

TEST(DevelopmentSecret, IsMadeOnceAndForItsOwnerOnly) {
  std::string folder = ::testing::TempDir() + "secret-XXXXXX";
  folder = mkdtemp(folder.data());
  const auto made = DevelopmentSecret(folder + "/data");
  ASSERT_OK(made);
  EXPECT_GE(made->size(), 32u);
  EXPECT_EQ(*DevelopmentSecret(folder + "/data"), *made);
  struct stat file;
  ASSERT_EQ(stat((folder + "/data/secret").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  std::filesystem::remove_all(folder);
}

TEST(DevelopmentSecret, SaysWhyItCannotBeKept) {
  EXPECT_FALSE(DevelopmentSecret("/proc/nowhere").ok());
}

}  // namespace
}  // namespace bdcsync::standalone
