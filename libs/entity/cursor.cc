#include "libs/entity/cursor.h"

#include <cstddef>

#include "absl/strings/escaping.h"

namespace bdcsync::entity {
namespace {

constexpr char kFormat = 1;
constexpr char kFormatWithBase = 2;
constexpr char kFormatWithHad = 3;
constexpr size_t kNumberBytes = 8;
constexpr size_t kBytes = 1 + 2 * kNumberBytes;
constexpr size_t kBytesWithBase = 1 + 3 * kNumberBytes;
constexpr size_t kBytesWithHad = 1 + 4 * kNumberBytes;

void AppendBigEndian(uint64_t number, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

uint64_t ReadBigEndian(absl::string_view bytes, size_t index) {
  uint64_t number = 0;
  for (const char c : bytes.substr(1 + index * kNumberBytes, kNumberBytes))
    number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

std::string EncodeCursor(const Cursor& cursor) {
  const bool with_base = cursor.base != Cursor::kNoBase;
  const bool with_had = with_base && cursor.had != Cursor::kNoBase;
  std::string bytes(1, with_had ? kFormatWithHad : with_base ? kFormatWithBase : kFormat);
  AppendBigEndian(cursor.epoch, bytes);
  AppendBigEndian(static_cast<uint64_t>(cursor.seq), bytes);
  if (with_base) AppendBigEndian(static_cast<uint64_t>(cursor.base), bytes);
  if (with_had) AppendBigEndian(static_cast<uint64_t>(cursor.had), bytes);
  return absl::WebSafeBase64Escape(bytes);
}

std::optional<Cursor> DecodeCursor(absl::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return std::nullopt;
  const bool with_had = bytes.size() == kBytesWithHad && bytes[0] == kFormatWithHad;
  const bool with_base =
      with_had || (bytes.size() == kBytesWithBase && bytes[0] == kFormatWithBase);
  const bool without_base = bytes.size() == kBytes && bytes[0] == kFormat;
  if (!with_base && !without_base) return std::nullopt;
  Cursor cursor{.epoch = ReadBigEndian(bytes, 0),
                .seq = static_cast<int64_t>(ReadBigEndian(bytes, 1))};
  if (with_base) {
    cursor.base = static_cast<int64_t>(ReadBigEndian(bytes, 2));
    if (cursor.base < 0 || cursor.base > cursor.seq) return std::nullopt;
  }
  if (with_had) {
    cursor.had = static_cast<int64_t>(ReadBigEndian(bytes, 3));
    if (cursor.had <= cursor.base || cursor.had > cursor.seq) return std::nullopt;
  }
  // Unescaping forgives padding, spaces and stray bits; a cursor has one spelling only.
  if (cursor.seq < 0 || EncodeCursor(cursor) != text) return std::nullopt;
  return cursor;
}

}  // namespace bdcsync::entity
