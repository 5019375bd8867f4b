// A session between fakes, with a real token verifier and a clock that stands still. For tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "libs/log/logger.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/session.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/session/testing/fake_desk.h"
#include "services/gateway/session/testing/fakes.h"
#include "services/gateway/session/testing/manual_loop.h"

namespace bdcsync::gateway {

class SessionFixture : public ::testing::Test {
 protected:
  static constexpr char kSecret[] = "the secret of the session tests";
  using Spaces = absl::flat_hash_map<std::string, Access>;

  // One client and its session.
  struct Client {
    explicit Client(SessionFixture& fixture)
        : fixture(fixture),
          connection(fixture.loop_),
          session(MakeSession(fixture.services_, connection)) {}
    ~Client() { Leave(); }
    void Send(absl::string_view text) {
      session->OnText(text);
      fixture.loop_.RunPosted();
    }
    void Leave() {
      if (session != nullptr) session->OnClosed();
      session.reset();
    }
    // Everything sent since the last call.
    std::vector<std::string> Take() { return std::exchange(connection.sent, {}); }
    // The one message sent since the last call.
    json::Value TakeOne() {
      const std::vector<std::string> sent = Take();
      EXPECT_EQ(sent.size(), 1u) << ::testing::PrintToString(sent);
      if (sent.empty()) return json::Value();
      auto value = json::Parse(sent.front());
      EXPECT_TRUE(value.ok()) << sent.front();
      return value.ok() ? *std::move(value) : json::Value();
    }
    SessionFixture& fixture;
    FakeConnection connection;
    std::shared_ptr<ConnectionHandler> session;
  };

  std::string Token(absl::string_view user, Spaces spaces = {},
                    absl::Duration valid = absl::Hours(1), absl::string_view device = "") {
    Caller caller;
    caller.user_id = std::string(user);
    caller.device_id = std::string(device);
    caller.spaces = std::move(spaces);
    caller.token_expires = clock_.Now() + valid;
    return MintToken(caller, clock_.Now(), kSecret);
  }
  static std::string AuthenticateText(absl::string_view token, absl::string_view device) {
    return absl::StrCat(R"({"type":"authenticate","id":0,"token":")", token, R"(","device_id":")",
                        device, "\"}");
  }
  // A client whose session is open.
  std::unique_ptr<Client> Connect(absl::string_view user = "ada", Spaces spaces = {},
                                  absl::string_view device = "d1") {
    auto client = std::make_unique<Client>(*this);
    client->Send(AuthenticateText(Token(user, std::move(spaces)), device));
    EXPECT_EQ(Text(client->TakeOne(), "type"), "authenticated");
    return client;
  }
  // The text, number or boolean at `/path` of a message, as text; "(none)" when there is none.
  static std::string Text(const json::Value& message, absl::string_view path) {
    const json::Value* value = json::Resolve(message, absl::StrCat("/", path));
    if (value == nullptr) return "(none)";
    return value->is_string() ? std::string(value->string()) : json::Serialize(*value);
  }
  static std::string Text(const std::string& message, absl::string_view path) {
    return Text(json::Parse(message).value(), path);
  }

  ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ManualLoop loop_{clock_};
  SeededRandom random_{7};
  KeyRing keys_{kSecret, ""};
  TokenVerifier tokens_{keys_, clock_};
  FakePipeline pipeline_;
  FakeReads reads_;
  FakeDesk desk_;
  FakeSubscriptions subscriptions_;
  FakeLive live_;
  FakeDevices devices_;
  SessionDirectory directory_;
  metrics::Registry registry_;
  SessionMetrics metrics_{registry_};
  log::Logger logger_ = log::NullLogger();
  SessionServices services_{loop_,      clock_,   random_,        tokens_,         pipeline_,
                            reads_,     desk_,    subscriptions_, live_,           devices_,
                            directory_, metrics_, logger_,        SessionOptions()};
};

}  // namespace bdcsync::gateway
