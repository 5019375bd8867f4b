// Certificates that are replaced while a listener serves.
#include "libs/app/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/app/app.h"
#include "libs/app/file_watch.h"
#include "libs/app/http_listener.h"
#include "libs/base/clock.h"
#include "libs/log/capture.h"
#include "libs/testing/certificates.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::app {
namespace {

using ::bdcsync::testing::CertificateShownOn;
using ::bdcsync::testing::StatusIs;
using ::bdcsync::testing::WriteCertificate;
using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteCertificate("one", paths_.cert_file, paths_.key_file);
    ASSERT_OK_AND_ASSIGN(files_, TlsFiles::Open(paths_));
  }
  bool Reload() {
    const absl::StatusOr<bool> changed = files_->Reload();
    EXPECT_OK(changed.status());
    return changed.ok() && *changed;
  }
  void Break() { std::ofstream(paths_.cert_file) << "-----BEGIN CERTIFICATE-----\nno\n"; }

  const bdcsync::testing::TempDir dir_;
  const TlsPaths paths_{
      .section = "x.tls", .cert_file = dir_.File("cert.pem"), .key_file = dir_.File("key.pem")};
  std::unique_ptr<TlsFiles> files_;
};

TEST_F(TlsFilesTest, NewConnectionsGetTheNewCertificate) {
  HttpListener listener;
  ASSERT_OK(listener.Start("127.0.0.1", 0, files_.get()));
  EXPECT_EQ(CertificateShownOn(listener.port()), "one");
  EXPECT_FALSE(Reload());
  WriteCertificate("two", paths_.cert_file, paths_.key_file);
  EXPECT_EQ(CertificateShownOn(listener.port()), "one");
  EXPECT_TRUE(Reload());
  EXPECT_EQ(CertificateShownOn(listener.port()), "two");
}

TEST_F(TlsFilesTest, FilesThatCannotBeUsedLeaveTheOldCertificate) {
  HttpListener listener;
  ASSERT_OK(listener.Start("127.0.0.1", 0, files_.get()));
  Break();
  EXPECT_THAT(files_->Reload(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(CertificateShownOn(listener.port()), "one");
  // As between the two writes of a rotation: the new key with the old certificate.
  WriteCertificate("two", paths_.cert_file, paths_.key_file);
  WriteCertificate("three", dir_.File("other.pem"), paths_.key_file);
  const auto mixed = files_->Reload();
  EXPECT_THAT(std::string(mixed.status().message()), HasSubstr("x.tls.key_file"));
  EXPECT_EQ(CertificateShownOn(listener.port()), "one");
}

TEST_F(TlsFilesTest, TellsWhenTheCertificateExpires) {
  EXPECT_GT(files_->expires(), SystemClock().Now() + absl::Hours(47));
  EXPECT_LT(files_->expires(), SystemClock().Now() + absl::Hours(49));
}

TEST_F(TlsFilesTest, NamesWhatIsMissing) {
  ASSERT_OK_AND_ASSIGN(const auto none, TlsFiles::Open({.section = "x.tls"}));
  EXPECT_EQ(none, nullptr);
  const auto half = TlsFiles::Open({.section = "x.tls", .cert_file = paths_.cert_file});
  EXPECT_THAT(std::string(half.status().message()), HasSubstr("x.tls.key_file"));
  const auto ca = TlsFiles::Open({.section = "x.tls", .client_ca_file = paths_.cert_file});
  EXPECT_THAT(std::string(ca.status().message()), HasSubstr("x.tls.client_ca_file needs"));
}

TEST_F(TlsFilesTest, AConfiguredClientAuthorityTurnsStrangersAway) {
  TlsPaths paths = paths_;
  paths.client_ca_file = paths.cert_file;
  ASSERT_OK_AND_ASSIGN(const auto files, TlsFiles::Open(paths));
  EXPECT_EQ(SSL_CTX_get_verify_mode(files->context()->native_handle()),
            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
}

TEST_F(TlsFilesTest, TheHttpPortOfAProcessServesTlsAndReloadsWithTheConfiguration) {
  Modules modules;
  class Nothing final : public Module {
   public:
    absl::string_view name() const override { return "nothing"; }
    DefaultPorts default_ports() const override { return {}; }
    void DeclareConfig(config::Schema& schema) const override {}
    absl::Status Configure(Context& context) override { return absl::OkStatus(); }
    absl::Status Start(Context& context) override { return absl::OkStatus(); }
    void Drain(absl::Time deadline) override {}
  };
  modules.push_back(std::make_unique<Nothing>());
  ASSERT_OK_AND_ASSIGN(config::Values values, TestValues(modules, dir_.path(),
                                                         {{"http.tls.cert_file", paths_.cert_file},
                                                          {"http.tls.key_file", paths_.key_file},
                                                          {"tls.reload_interval", "24h"}}));
  log::CapturedLog log;
  ASSERT_OK_AND_ASSIGN(auto app, App::Start(std::move(modules), values, {.logger = &log.logger()}));
  EXPECT_EQ(CertificateShownOn(app->http_port()), "one");
  WriteCertificate("two", paths_.cert_file, paths_.key_file);
  ASSERT_OK(app->Reload(values));
  EXPECT_EQ(CertificateShownOn(app->http_port()), "two");
  Break();
  ASSERT_OK(app->Reload(values));
  EXPECT_EQ(CertificateShownOn(app->http_port()), "two");
  EXPECT_THAT(log.lines(), ::testing::Contains(HasSubstr("replaced files cannot be used")));
  const std::string metrics = app->context().metrics().Render();
  EXPECT_THAT(
      metrics,
      ::testing::AllOf(
          HasSubstr(R"(bdcsync_file_reloads_total{files="http certificate",outcome="changed"} 1)"),
          HasSubstr(R"(bdcsync_file_reloads_total{files="http certificate",outcome="failed"} 1)"),
          HasSubstr("bdcsync_tls_certificate_expires_seconds")));
}

TEST(FileWatchTest, LooksOnItsIntervalUntilItIsStopped) {
  metrics::Registry metrics;
  absl::Mutex mutex;
  int looks = 0;
  FileWatch watch(absl::Milliseconds(1), log::NullLogger(), metrics);
  watch.Add("files", [&]() -> absl::StatusOr<bool> {
    absl::MutexLock lock(&mutex);
    ++looks;
    return false;
  });
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(
        +[](int* looks) { return *looks >= 3; }, &looks));
  }
  watch.Stop();
  const int at_stop = looks;
  watch.LookNow();
  EXPECT_EQ(looks, at_stop);
}

}  // namespace
}  // namespace bdcsync::app
