// The keys of all services by name, so that one environment or one file can serve every process:
// a process passes over the keys of others and still refuses names that nobody knows. Generated at
// build time from services/*/config.h (libs/config/embed_keys_script.cmake), since no service may
// include another. Values are checked by the service that owns the key. Thread-safe: values only.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bdcsync::config {

struct SuiteKey {
  absl::string_view name;
  absl::string_view service;  // As users type it, e.g. "event-store".
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// All keys that services declare; those of libs/app and libs/rpc every process has itself.
absl::Span<const SuiteKey> SuiteKeys();
// The key named `name` in `keys`, or nullptr.
const SuiteKey* FindKey(absl::Span<const SuiteKey> keys, absl::string_view name);

}  // namespace bdcsync::config
