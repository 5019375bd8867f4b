// The TLS side of a listener, from PEM files that may be replaced while it serves: connections made
// after a reload get the new certificate, those that are open keep theirs. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace boost::asio::ssl {
class context;
}  // namespace boost::asio::ssl

namespace bdcsync::app {

struct TlsPaths {
  std::string section;    // Of the configuration, for messages: "websocket.tls".
  std::string cert_file;  // The certificate chain.
  std::string key_file;
  std::string client_ca_file;  // When not empty, peers must show a certificate of theirs.
};

class TlsFiles {
 public:
  // Null when no file is named: no TLS.
  //   INVALID_ARGUMENT  a file is missing, cannot be read, or certificate and key do not belong
  //                     together; the message names the key.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(TlsPaths paths);
  ~TlsFiles();

  // Reads the files again. True: they had changed and are in use; false: they are the same. On an
  // error, as from Open, the certificate known before stays in use.
  absl::StatusOr<bool> Reload();
  // For the next connection. TLS 1.2 and later. Shared by the connections that are made from it.
  std::shared_ptr<boost::asio::ssl::context> context() const;
  // When the certificate in use expires.
  absl::Time expires() const;

 private:
  struct Loaded;
  explicit TlsFiles(TlsPaths paths);

  const TlsPaths paths_;
  mutable absl::Mutex mutex_;
  std::unique_ptr<Loaded> loaded_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::app
