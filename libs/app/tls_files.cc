#include "libs/app/tls_files.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/rpc/tls.h"

namespace bdcsync::app {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::const_buffer;

struct Texts {
  std::string cert;
  std::string key;
  std::string client_ca;

  friend bool operator==(const Texts&, const Texts&) = default;
};

absl::Status Wrong(absl::string_view key, const std::string& path,
                   const boost::system::error_code& error) {
  return absl::InvalidArgumentError(absl::StrCat(key, " ", path, ": ", error.message()));
}

absl::StatusOr<Texts> Read(const TlsPaths& paths) {
  Texts texts;
  ASSIGN_OR_RETURN(texts.cert, rpc::ReadPem(paths.cert_file, paths.section + ".cert_file"));
  ASSIGN_OR_RETURN(texts.key, rpc::ReadPem(paths.key_file, paths.section + ".key_file"));
  if (!paths.client_ca_file.empty()) {
    ASSIGN_OR_RETURN(texts.client_ca,
                     rpc::ReadPem(paths.client_ca_file, paths.section + ".client_ca_file"));
  }
  return texts;
}

absl::StatusOr<std::shared_ptr<ssl::context>> Make(const TlsPaths& paths, const Texts& texts) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                       ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  // A connection that waits needs no buffers of its own.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code error;
  context->use_certificate_chain(const_buffer(texts.cert.data(), texts.cert.size()), error);
  if (error) return Wrong(paths.section + ".cert_file", paths.cert_file, error);
  context->use_private_key(const_buffer(texts.key.data(), texts.key.size()), ssl::context::pem,
                           error);
  if (error) return Wrong(paths.section + ".key_file", paths.key_file, error);
  if (texts.client_ca.empty()) return context;
  context->add_certificate_authority(const_buffer(texts.client_ca.data(), texts.client_ca.size()),
                                     error);
  if (error) return Wrong(paths.section + ".client_ca_file", paths.client_ca_file, error);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return Wrong(paths.section + ".client_ca_file", paths.client_ca_file, error);
  return context;
}

absl::Time ExpiryOf(ssl::context& context) {
  const X509* const cert = SSL_CTX_get0_certificate(context.native_handle());
  std::tm time{};
  if (cert == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &time) != 1) {
    return absl::InfinitePast();
  }
  return absl::FromTM(time, absl::UTCTimeZone());
}

}  // namespace

struct TlsFiles::Loaded {
  Texts texts;
  std::shared_ptr<ssl::context> context;
};

TlsFiles::TlsFiles(TlsPaths paths) : paths_(std::move(paths)) {}
TlsFiles::~TlsFiles() = default;

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(TlsPaths paths) {
  if (paths.cert_file.empty() && paths.key_file.empty()) {
    if (paths.client_ca_file.empty()) return nullptr;
    return absl::InvalidArgumentError(absl::StrCat(paths.section, ".client_ca_file needs ",
                                                   paths.section, ".cert_file and ", paths.section,
                                                   ".key_file"));
  }
  std::unique_ptr<TlsFiles> files(new TlsFiles(std::move(paths)));
  RETURN_IF_ERROR(files->Reload().status());
  return files;
}

absl::StatusOr<bool> TlsFiles::Reload() {
  ASSIGN_OR_RETURN(Texts texts, Read(paths_));
  {
    absl::MutexLock lock(&mutex_);
    if (loaded_ != nullptr && loaded_->texts == texts) return false;
  }
  ASSIGN_OR_RETURN(auto context, Make(paths_, texts));
  auto loaded = std::make_unique<Loaded>(Loaded{std::move(texts), std::move(context)});
  absl::MutexLock lock(&mutex_);
  loaded_ = std::move(loaded);
  return true;
}

std::shared_ptr<ssl::context> TlsFiles::context() const {
  absl::MutexLock lock(&mutex_);
  return loaded_->context;
}

absl::Time TlsFiles::expires() const { return ExpiryOf(*context()); }

}  // namespace bdcsync::app
