#include "libs/entity/cursor.h"

#include <cstddef>

#include "absl/strings/escaping.h"

namespace bdcsync::entity {
namespace {

constexpr char kFormat = 1;
constexpr size_t kBytes = 1 + 8 + 8;

void AppendBigEndian(uint64_t number, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

uint64_t ReadBigEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

std::string EncodeCursor(const Cursor& cursor) {
  std::string bytes(1, kFormat);
  AppendBigEndian(cursor.epoch, bytes);
  AppendBigEndian(static_cast<uint64_t>(cursor.seq), bytes);
  return absl::WebSafeBase64Escape(bytes);
}

std::optional<Cursor> DecodeCursor(absl::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return std::nullopt;
  if (bytes.size() != kBytes || bytes[0] != kFormat) return std::nullopt;
  const absl::string_view view(bytes);
  const Cursor cursor{.epoch = ReadBigEndian(view.substr(1, 8)),
                      .seq = static_cast<int64_t>(ReadBigEndian(view.substr(9)))};
  // Unescaping forgives padding, spaces and stray bits; a cursor has one spelling only.
  if (cursor.seq < 0 || EncodeCursor(cursor) != text) return std::nullopt;
  return cursor;
}

}  // namespace bdcsync::entity
