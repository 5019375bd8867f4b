// Certificates made by openssl for one test: an authority, and certificates that it signs.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::testing {

// Writes a key and a certificate for 127.0.0.1 that signs itself, so that it is its own authority.
// `name` is its subject. Files that exist are replaced one after the other, as an operator would.
void WriteCertificate(absl::string_view name, const std::string& cert_file,
                      const std::string& key_file);

// The subject of the certificate that a TLS server on `port` shows to a new connection; empty when
// there is none.
std::string CertificateShownOn(int port);

}  // namespace bdcsync::testing
