#include "libs/config/suite_keys.h"

namespace bdcsync::config {

const SuiteKey* FindKey(absl::Span<const SuiteKey> keys, absl::string_view name) {
  for (const SuiteKey& key : keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

}  // namespace bdcsync::config
