#include "libs/script/utf8.h"

#include <cstddef>

namespace bdcsync::script {
namespace {

// The bytes of the character that starts with `lead`, and the range of its second byte; the others
// are 80-BF. 0 for what starts no character.
struct Form {
  size_t bytes;
  unsigned char second_min;
  unsigned char second_max;
};

Form FormOf(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2) return {0, 0, 0};
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool IsValidUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Form form = FormOf(static_cast<unsigned char>(text[at]));
    if (form.bytes == 0 || text.size() - at < form.bytes) return false;
    for (size_t i = 1; i < form.bytes; ++i) {
      const unsigned char byte = static_cast<unsigned char>(text[at + i]);
      const unsigned char low = i == 1 ? form.second_min : 0x80;
      const unsigned char high = i == 1 ? form.second_max : 0xbf;
      if (byte < low || byte > high) return false;
    }
    at += form.bytes;
  }
  return true;
}

}  // namespace bdcsync::script
