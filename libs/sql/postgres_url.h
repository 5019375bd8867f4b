// Whether a PostgreSQL URL can be right at all, told before anybody connects: what is wrong here no
// waiting mends. Thread-safe: a function only.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bdcsync::sql {

// OK, or INVALID_ARGUMENT saying what is wrong with `url`, the value of the configuration key
// `key`: its syntax, an unknown parameter, or a file of certificates, keys or passwords that it
// names and that cannot be read. The message holds no password.
absl::Status CheckPostgresUrl(const std::string& url, absl::string_view key);
// The same without a look at files: they may be elsewhere.
absl::Status CheckPostgresUrlText(const std::string& url, absl::string_view key);
// What `storage.url` may be where `sqlite:` is the only way to say SQLite; without a look at files.
absl::Status CheckStorageUrl(const std::string& url);

}  // namespace bdcsync::sql
