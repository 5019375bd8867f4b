// The listener behind TLS, with a certificate made here and OpenSSL as the client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/app/tls_files.h"
#include "libs/log/logger.h"
#include "libs/testing/certificates.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/gateway/websocket/server.h"
#include "services/gateway/websocket/testing/raw_client.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

using ::testing::StartsWith;

class Echo final : public ConnectionHandler {
 public:
  explicit Echo(Connection& connection) : connection_(connection) {}
  void OnText(absl::string_view text) override { connection_.SendText(text); }
  void OnDrained() override {}
  void OnShutdown() override {}
  void OnClosing(uint16_t, absl::string_view) override {}
  void OnClosed() override {}

 private:
  Connection& connection_;
};

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.tls_cert_file = dir_.path() + "/cert.pem";
    options_.tls_key_file = dir_.path() + "/key.pem";
    testing::WriteCertificate("one", options_.tls_cert_file, options_.tls_key_file);
  }
  void StartServer() {
    ASSERT_OK_AND_ASSIGN(server_, MakeWebSocketServer(options_, clock_, metrics_, logger_));
    ASSERT_OK(server_->Start(
        {[](Connection& connection) { return std::make_shared<Echo>(connection); }}));
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Drain(clock_.Now());
  }

  testing::TempDir dir_;
  ServerOptions options_;
  SystemClock clock_;
  metrics::Registry registry_;
  TransportMetrics metrics_{registry_};
  log::Logger logger_ = log::NullLogger();
  std::unique_ptr<WebSocketServer> server_;
};

// Reads exactly `bytes`; what came when the connection ends first.
std::string ReadExactly(BIO* bio, size_t bytes) {
  std::string out(bytes, '\0');
  size_t got = 0;
  while (got < bytes) {
    const int read = BIO_read(bio, out.data() + got, static_cast<int>(bytes - got));
    if (read <= 0) break;
    got += static_cast<size_t>(read);
  }
  out.resize(got);
  return out;
}

TEST_F(TlsTest, EchoesLargeMessagesAndCoalescedSmallOnes) {
  StartServer();
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()),
                                                          &BIO_free_all);
  BIO_set_conn_hostname(bio.get(), absl::StrCat("127.0.0.1:", server_->port()).c_str());
  ASSERT_EQ(BIO_do_connect(bio.get()), 1);
  const std::string request =
      "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  BIO_write(bio.get(), request.data(), static_cast<int>(request.size()));
  std::string head;
  while (head.size() < 4 || head.substr(head.size() - 4) != "\r\n\r\n") {
    const std::string byte = ReadExactly(bio.get(), 1);
    ASSERT_FALSE(byte.empty());
    head += byte;
  }
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101"));
  const std::string large(60000, 'q');
  std::string frames = "\x81\xfe\xea\x60";  // Masked with zeros: the payload stays as it is.
  frames += std::string(4, '\0') + large;
  for (int i = 0; i < 20; ++i) frames += std::string("\x81\x82\0\0\0\0hi", 8);
  BIO_write(bio.get(), frames.data(), static_cast<int>(frames.size()));
  EXPECT_EQ(ReadExactly(bio.get(), large.size() + 4), "\x81\x7e\xea\x60" + large);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ReadExactly(bio.get(), 4), "\x81\x02hi");
}

TEST_F(TlsTest, CutsAPeerThatDoesNotFinishOrDoesNotSpeakTls) {
  options_.handshake_timeout = absl::Milliseconds(20);
  StartServer();
  RawClient silent(server_->port());
  EXPECT_TRUE(silent.AtEnd());
  RawClient plain(server_->port());
  plain.SendBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(plain.AtEnd());
}

TEST_F(TlsTest, NewConnectionsGetAReplacedCertificate) {
  StartServer();
  EXPECT_EQ(testing::CertificateShownOn(server_->port()), "one");
  testing::WriteCertificate("two", options_.tls_cert_file, options_.tls_key_file);
  ASSERT_OK_AND_ASSIGN(const bool changed, server_->tls()->Reload());
  EXPECT_TRUE(changed);
  EXPECT_EQ(testing::CertificateShownOn(server_->port()), "two");
}

TEST_F(TlsTest, RefusesFilesThatAreNoCertificateAndKey) {
  ServerOptions missing = options_;
  missing.tls_cert_file += ".missing";
  EXPECT_THAT(MakeWebSocketServer(missing, clock_, metrics_, logger_),
              testing::StatusIs(absl::StatusCode::kInvalidArgument));
  ServerOptions mixed = options_;
  mixed.tls_key_file = dir_.path() + "/other.pem";
  testing::WriteCertificate("other", dir_.path() + "/unused.pem", mixed.tls_key_file);
  EXPECT_THAT(MakeWebSocketServer(mixed, clock_, metrics_, logger_),
              testing::StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::gateway
