// The TLS side of the listener, from PEM files. The context is immutable once made, hence
// thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace boost::asio::ssl {
class context;
}  // namespace boost::asio::ssl

namespace bdcsync::gateway {

// TLS 1.2 and later. shared_ptr: the type is complete in few files.
//   INVALID_ARGUMENT  a file cannot be read, or certificate and key do not belong together.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> MakeTlsContext(
    const std::string& cert_file, const std::string& key_file);

}  // namespace bdcsync::gateway
