#include "services/gateway/websocket/tls_context.h"

#include <boost/asio/ssl/context.hpp>

#include "absl/strings/str_cat.h"

namespace bdcsync::gateway {
namespace ssl = boost::asio::ssl;

absl::StatusOr<std::shared_ptr<ssl::context>> MakeTlsContext(const std::string& cert_file,
                                                             const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                       ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  // A connection that waits needs no buffers of its own.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code error;
  context->use_certificate_chain_file(cert_file, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("websocket.tls.cert_file ", cert_file, ": ", error.message()));
  }
  context->use_private_key_file(key_file, ssl::context::pem, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("websocket.tls.key_file ", key_file, ": ", error.message()));
  }
  return context;
}

}  // namespace bdcsync::gateway
