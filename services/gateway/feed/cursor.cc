#include "services/gateway/feed/cursor.h"

#include "absl/strings/escaping.h"
#include "libs/base/errors.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kNumberBytes = 8;
constexpr size_t kCursorBytes = 2 * kNumberBytes;
constexpr size_t kCursorWithBaseBytes = 3 * kNumberBytes;

void AppendBigEndian(uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

uint64_t ReadBigEndian(absl::string_view text, size_t index) {
  const absl::string_view bytes = text.substr(index * kNumberBytes, kNumberBytes);
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string EncodeCursor(Cursor cursor) {
  std::string bytes;
  bytes.reserve(kCursorWithBaseBytes);
  AppendBigEndian(cursor.epoch, bytes);
  AppendBigEndian(static_cast<uint64_t>(cursor.seq), bytes);
  if (cursor.base != Cursor::kNoBase) AppendBigEndian(static_cast<uint64_t>(cursor.base), bytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<Cursor> DecodeCursor(absl::string_view text) {
  const auto refused = [] {
    return MakeErrorAt(Reason::kInvalidArgument, "cursor", "this is not a cursor");
  };
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return refused();
  if (bytes.size() != kCursorBytes && bytes.size() != kCursorWithBaseBytes) return refused();
  Cursor cursor;
  cursor.epoch = ReadBigEndian(bytes, 0);
  cursor.seq = static_cast<int64_t>(ReadBigEndian(bytes, 1));
  if (cursor.seq < 0) return refused();
  if (bytes.size() == kCursorWithBaseBytes) {
    cursor.base = static_cast<int64_t>(ReadBigEndian(bytes, 2));
    if (cursor.base < 0 || cursor.base > cursor.seq) return refused();
  }
  if (EncodeCursor(cursor) != text) return refused();
  return cursor;
}

}  // namespace bdcsync::gateway
