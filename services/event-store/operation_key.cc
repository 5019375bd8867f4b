#include "services/event-store/operation_key.h"

namespace bdcsync::event_store {
namespace {

constexpr std::size_t kUuidLength = 36;

int LowerHexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// False unless `text` is a canonical UUID.
bool ParseUuid(absl::string_view text, OperationKey& key) {
  if (text.size() != kUuidLength) return false;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
      continue;
    }
    const int digit = LowerHexDigit(text[i]);
    if (digit < 0) return false;
    char& byte = key[digits / 2];
    byte = static_cast<char>(digits % 2 == 0 ? digit << 4 : byte | digit);
    ++digits;
  }
  return true;
}

}  // namespace

OperationKey OperationKeyOf(absl::string_view op_id) {
  OperationKey key{};
  if (ParseUuid(op_id, key)) return key;
  return DigestOf({op_id});
}

}  // namespace bdcsync::event_store
