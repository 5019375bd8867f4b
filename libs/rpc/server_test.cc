// What servers and channels are beside calls: ports, logs, replicas.
#include "libs/rpc/server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/log/capture.h"
#include "libs/rpc/calls_for_test.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace status = ::bdcsync::testing;

constexpr absl::Duration kLong = absl::Seconds(30);

class CallLogTest : public ::testing::TestWithParam<absl::string_view> {};

INSTANTIATE_TEST_SUITE_P(Ways, CallLogTest, ::testing::Values("Direct", "InProcess"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(CallLogTest, CallsAreLoggedWithTheirRequestIds) {
  metrics::Registry metrics;
  log::CapturedLog log;
  FakeService service;
  Server server({}, metrics, log.logger());
  server.AddService(&service);
  ASSERT_OK(server.Start());
  Peer peer = server.InProcess();
  if (GetParam() == "InProcess") peer.direct = nullptr;
  const Client<EventStoreService> client(peer);
  const auto call = [&](const std::string& id) {
    absl::Notification answered;
    bool ok = false;
    client.Start(kReadHeads, ReadHeadsRequest(), {.timeout = kLong, .request_id = id},
                 Done<ReadHeadsResponse>([&](const absl::StatusOr<ReadHeadsResponse>& response) {
                   ok = response.ok();
                   answered.Notify();
                 }));
    answered.WaitForNotification();
    return ok;
  };
  log.logger().SetLevel(log::Level::kInfo);
  EXPECT_TRUE(call("quiet"));
  service.handler = [](grpc::CallbackServerContext* context, auto...) {
    return FinishNow(context, MakeError(Reason::kInternal, "broken"));
  };
  EXPECT_FALSE(call("failed"));
  log.logger().SetLevel(log::Level::kDebug);
  EXPECT_FALSE(call("traced \"twice\""));
  server.AwaitIdle(SystemClock().Now() + kLong);
  const std::string text = absl::StrJoin(log.lines(), "\n");
  EXPECT_THAT(text, AllOf(HasSubstr(R"("request_id":"failed")"), HasSubstr("broken"),
                          HasSubstr(R"("request_id":"tracedtwice")"), Not(HasSubstr("quiet"))));
}

TEST(Server, ACallWithoutAnIdGetsOneThatItsCallerIsTold) {
  metrics::Registry metrics;
  log::CapturedLog log;
  log.logger().SetLevel(log::Level::kDebug);
  FakeService service;
  absl::Mutex mutex;
  std::string id;  // Guarded by `mutex`.
  const auto seen = [&] {
    absl::MutexLock lock(&mutex);
    return id;
  };
  service.handler = [&](grpc::CallbackServerContext* context, auto...) {
    absl::MutexLock lock(&mutex);
    id = TraceOf(*context).request_id;
    return FinishNow(context, MakeError(Reason::kNotFound, "x"));
  };
  Server server({}, metrics, log.logger());
  server.AddService(&service);
  ASSERT_OK(server.Start());
  ASSERT_OK_AND_ASSIGN(const auto outside, Dial(absl::StrCat("127.0.0.1:", server.port()), {}));
  for (const auto& channel : {outside, server.InProcessChannel()}) {
    const auto stub = EventStoreService::NewStub(channel);
    // What the caller is told of its id.
    const auto call = [&](const char* own) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      if (own != nullptr) context.AddMetadata("x-request-id", own);
      ReadHeadsResponse response;
      (void)stub->ReadHeads(&context, ReadHeadsRequest(), &response);
      const auto& metadata = context.GetServerInitialMetadata();
      const auto told = metadata.find("x-request-id");
      return told == metadata.end() ? "" : std::string(told->second.data(), told->second.size());
    };
    const std::string made = call(nullptr);
    EXPECT_THAT(made, ::testing::MatchesRegex("call-[0-9a-f]{10}"));
    EXPECT_EQ(seen(), made);
    const std::string next = call("\"\"");  // Of which nothing is left.
    EXPECT_THAT(next, ::testing::MatchesRegex("call-[0-9a-f]{10}"));
    EXPECT_EQ(seen(), next);
    EXPECT_NE(next, made);
    EXPECT_EQ(call("mine"), "");
    EXPECT_EQ(seen(), "mine");
    server.AwaitIdle(SystemClock().Now() + kLong);
    EXPECT_THAT(absl::StrJoin(log.lines(), "\n"),
                AllOf(HasSubstr(made), HasSubstr(next), HasSubstr("\"mine\"")));
  }
}

TEST(Server, WhatIsForTheSuiteCannotBeCalledFromOutsideWhereTheSuiteIsWhole) {
  const auto call = [](bool within, Audience audience, bool from_outside, bool on_stream = false) {
    SocketLoops loops;
    metrics::Registry metrics;
    FakeService service;
    Server server({.suite_within = within, .loops = &loops}, metrics);
    server.AddService(&service, audience);
    ServeOnStreams<EventStoreService>(server, &FakeService::ReadHeads);
    EXPECT_OK(server.Start());
    Peer peer = from_outside
                    ? *DialPeer(absl::StrCat("127.0.0.1:", server.port()), {.loops = &loops})
                    : Peer{.channel = server.InProcessChannel()};
    if (!on_stream) peer.streams = std::nullopt;
    const Client<EventStoreService> client(peer);
    absl::Status status;
    absl::Notification answered;
    client.Start(kReadHeads, ReadHeadsRequest(), {.timeout = kLong},
                 Done<ReadHeadsResponse>([&](const absl::StatusOr<ReadHeadsResponse>& response) {
                   status = response.status();
                   answered.Notify();
                 }));
    answered.WaitForNotification();
    return status;
  };
  EXPECT_EQ(call(true, Audience::kSuite, true).code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(call(true, Audience::kSuite, true, true).code(), absl::StatusCode::kUnimplemented);
  EXPECT_OK(call(true, Audience::kSuite, false));
  EXPECT_OK(call(true, Audience::kClients, true));
  EXPECT_OK(call(false, Audience::kSuite, true));
  EXPECT_OK(call(false, Audience::kSuite, true, true));
}

TEST(Server, ATakenPortAndABadCertificateAreErrors) {
  metrics::Registry metrics;
  Server first({}, metrics);
  ASSERT_OK(first.Start());
  metrics::Registry others;
  Server second({.port = first.port()}, others);
  EXPECT_THAT(second.Start(), status::HasReason(Reason::kUnavailable));
  Server third({.tls_cert_file = "/nowhere.pem", .tls_key_file = "/nowhere.pem"}, others);
  EXPECT_THAT(third.Start(), status::StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Channels, AreOnePerReplicaAndAlwaysTheSame) {
  Channels channels({.addresses = {{"version", {"127.0.0.1:1", "127.0.0.1:2"}}}});
  ASSERT_OK_AND_ASSIGN(const auto replicas, channels.Get("version"));
  EXPECT_EQ(replicas.size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto again, channels.Get("version"));
  EXPECT_EQ(replicas.front().channel, again.front().channel);
  EXPECT_EQ(replicas.back().channel, again.back().channel);
  const auto unknown = channels.Get("device-sync");
  EXPECT_THAT(unknown, status::HasReason(Reason::kNotFound));
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("services.device_sync"));
}

TEST(Channels, AServiceInThisProcessHidesItsAddresses) {
  Channels channels({.addresses = {{"version", {"127.0.0.1:1", "127.0.0.1:2"}}}});
  metrics::Registry metrics;
  Server server({}, metrics);
  ASSERT_OK(server.Start());
  channels.AddInProcess("version", server.InProcess());
  ASSERT_OK_AND_ASSIGN(const auto replicas, channels.Get("version"));
  ASSERT_EQ(replicas.size(), 1u);
  EXPECT_NE(replicas.front().direct, nullptr);
}

TEST(Channels, ALostServiceIsFoundAgainWhenItIsBack) {
  metrics::Registry metrics;
  FakeService service;
  auto server = std::make_unique<Server>(ServerOptions{}, metrics);
  server->AddService(&service);
  ASSERT_OK(server->Start());
  const int port = server->port();
  ASSERT_OK_AND_ASSIGN(const auto channel, Dial(absl::StrCat("127.0.0.1:", port), {}));
  const auto stub = EventStoreService::NewStub(channel);
  const auto call = [&](bool wait) {
    return Call(*stub, &EventStoreService::Stub::ReadHeads, ReadHeadsRequest(),
                {.timeout = kLong, .wait_for_ready = wait});
  };
  ASSERT_OK(call(true));
  server.reset();
  EXPECT_THAT(call(false), status::HasReason(Reason::kUnavailable));
  metrics::Registry metrics_after;
  server = std::make_unique<Server>(ServerOptions{.port = port}, metrics_after);
  server->AddService(&service);
  ASSERT_OK(server->Start());
  EXPECT_OK(call(true));
}

}  // namespace
}  // namespace bdcsync::rpc
