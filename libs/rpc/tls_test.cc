// TLS and mTLS between a server and a channel, with certificates made for the test.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/status.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "libs/testing/certificates.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using ::bdcsync::testing::CertificateShownOn;
using ::bdcsync::testing::WriteCertificate;
using event_store::v1::EventStoreService;
using event_store::v1::GetStoreInfoRequest;
using event_store::v1::GetStoreInfoResponse;
namespace status = ::bdcsync::testing;

constexpr auto kGetStoreInfo = [](auto& end, auto... call) {
  return end.GetStoreInfo(std::move(call)...);
};

class FakeService final : public EventStoreService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetStoreInfo(grpc::CallbackServerContext* context,
                                         const GetStoreInfoRequest* request,
                                         GetStoreInfoResponse* response) override {
    return FinishNow(context, absl::OkStatus());
  }
};

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_);
    WriteCertificate("one", cert(), key());
  }
  ~TlsTest() override { std::filesystem::remove_all(dir_); }

  std::string cert() const { return dir_ + "/cert.pem"; }
  std::string key() const { return dir_ + "/key.pem"; }

  absl::Status CallWith(ServerOptions server_options, ChannelOptions options) {
    SocketLoops loops;
    metrics::Registry metrics;
    FakeService service;
    server_options.loops = &loops;
    options.loops = &loops;
    Server server(std::move(server_options), metrics);
    server.AddService(&service);
    ServeOnStreams<EventStoreService>(server, &FakeService::GetStoreInfo);
    RETURN_IF_ERROR(server.Start());
    ASSIGN_OR_RETURN(const Peer peer, DialPeer(absl::StrCat("127.0.0.1:", server.port()), options));
    const auto stub = EventStoreService::NewStub(peer.channel);
    const absl::Status plain = Call(*stub, &EventStoreService::Stub::GetStoreInfo,
                                    GetStoreInfoRequest(), {.timeout = absl::Seconds(30)})
                                   .status();
    EXPECT_EQ(CallOnStream(peer).code(), plain.code());
    return plain;
  }
  static absl::Status CallOnStream(const Peer& peer) {
    const Client<EventStoreService> client(peer);
    absl::Status status;
    absl::Notification answered;
    client.Start(kGetStoreInfo, GetStoreInfoRequest(), {.timeout = absl::Seconds(30)},
                 Done<GetStoreInfoResponse>([&](const absl::StatusOr<GetStoreInfoResponse>& got) {
                   status = got.status();
                   answered.Notify();
                 }));
    answered.WaitForNotification();
    return status;
  }

  const std::string dir_ =
      absl::StrCat(::testing::TempDir(), "tls_test_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(TlsTest, ACallerThatKnowsTheAuthorityGetsThrough) {
  EXPECT_OK(CallWith({.tls_cert_file = cert(), .tls_key_file = key()}, {.tls_ca_file = cert()}));
}

TEST_F(TlsTest, ACallerWithoutTlsDoesNot) {
  EXPECT_THAT(CallWith({.tls_cert_file = cert(), .tls_key_file = key()}, {}),
              status::HasReason(Reason::kUnavailable));
}

TEST_F(TlsTest, WithAClientAuthorityOnlyCertifiedCallersGetThrough) {
  const ServerOptions server{
      .tls_cert_file = cert(), .tls_key_file = key(), .tls_client_ca_file = cert()};
  EXPECT_OK(
      CallWith(server, {.tls_ca_file = cert(), .tls_cert_file = cert(), .tls_key_file = key()}));
  EXPECT_THAT(CallWith(server, {.tls_ca_file = cert()}), status::HasReason(Reason::kUnavailable));
}

TEST_F(TlsTest, AReplacedCertificateIsShownToNewConnections) {
  metrics::Registry metrics;
  FakeService service;
  Server server(
      {.tls_cert_file = cert(), .tls_key_file = key(), .tls_reload_interval = absl::Seconds(1)},
      metrics);
  server.AddService(&service);
  ASSERT_OK(server.Start());
  EXPECT_EQ(CertificateShownOn(server.port()), "one");
  WriteCertificate("two", cert(), key());
  while (CertificateShownOn(server.port()) != "two") {  // The test's own time limit ends it.
  }
}

TEST_F(TlsTest, AReplacedAuthorityIsUsedByAChannelThatReconnects) {
  metrics::Registry metrics_before;
  metrics::Registry metrics_after;
  FakeService service;
  const auto serve = [&](int port, metrics::Registry& metrics) {
    auto server = std::make_unique<Server>(
        ServerOptions{.port = port, .tls_cert_file = cert(), .tls_key_file = key()}, metrics);
    server->AddService(&service);
    EXPECT_OK(server->Start());
    return server;
  };
  auto server = serve(0, metrics_before);
  const int port = server->port();
  ASSERT_OK_AND_ASSIGN(const auto channel,
                       Dial(absl::StrCat("127.0.0.1:", port),
                            {.tls_ca_file = cert(), .tls_reload_interval = absl::Seconds(1)}));
  const auto stub = EventStoreService::NewStub(channel);
  const auto call = [&] {
    return Call(*stub, &EventStoreService::Stub::GetStoreInfo, GetStoreInfoRequest(),
                {.timeout = absl::Seconds(30), .wait_for_ready = true})
        .status();
  };
  ASSERT_OK(call());
  server.reset();
  WriteCertificate("two", cert(), key());  // Its own authority: the old one does not know it.
  server = serve(port, metrics_after);
  EXPECT_OK(call());
}

TEST_F(TlsTest, HalfAConfigurationIsRefused) {
  EXPECT_THAT(CallWith({.tls_cert_file = cert()}, {}),
              status::StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CallWith({.tls_client_ca_file = cert()}, {}),
              status::StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CallWith({}, {.tls_cert_file = cert()}),
              status::StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::rpc
