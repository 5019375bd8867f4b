#include "libs/ot/utf16.h"

#include <bit>
#include <cstring>

namespace bdcsync::ot {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080u;
constexpr size_t kWord = sizeof(uint64_t);

uint64_t Load(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, kWord);
  return word;
}

// Bytes 10xxxxxx, which begin nothing.
int Continuations(uint64_t word) { return std::popcount(word & ~(word << 1) & kHighBits); }
// Bytes 1111xxxx, which begin a character of two units.
int PairStarts(uint64_t word) {
  return std::popcount(word & (word << 1) & (word << 2) & (word << 3) & kHighBits);
}

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }
bool IsContinuation(char c) { return (Byte(c) & 0xC0) == 0x80; }
bool IsPairStart(char c) { return Byte(c) >= 0xF0; }

// The bytes of the valid character at the front of `rest`; 0 when it is not valid.
size_t CharacterBytes(absl::string_view rest) {
  const uint8_t first = Byte(rest[0]);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || rest.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if (!IsContinuation(rest[i])) return 0;
  }
  const uint8_t second = Byte(rest[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool beyond = first == 0xF4 && second >= 0x90;
  const bool surrogate = first == 0xED && second >= 0xA0;
  return overlong || beyond || surrogate ? 0 : bytes;
}

}  // namespace

TextSize SizeOf(absl::string_view utf8) {
  TextSize size;
  size.bytes = static_cast<int64_t>(utf8.size());
  size.points = size.bytes;
  int64_t pairs = 0;
  size_t at = 0;
  for (; at + kWord <= utf8.size(); at += kWord) {
    const uint64_t word = Load(utf8.data() + at);
    if ((word & kHighBits) == 0) continue;
    size.points -= Continuations(word);
    pairs += PairStarts(word);
  }
  for (; at < utf8.size(); ++at) {
    size.points -= IsContinuation(utf8[at]) ? 1 : 0;
    pairs += IsPairStart(utf8[at]) ? 1 : 0;
  }
  size.units = size.points + pairs;
  return size;
}

bool IsUtf8(absl::string_view utf8) {
  while (!utf8.empty()) {
    if (utf8.size() >= kWord && (Load(utf8.data()) & kHighBits) == 0) {
      utf8.remove_prefix(kWord);
      continue;
    }
    const size_t bytes = CharacterBytes(utf8);
    if (bytes == 0) return false;
    utf8.remove_prefix(bytes);
  }
  return true;
}

std::optional<size_t> ByteOfUnit(absl::string_view utf8, int64_t unit) {
  size_t at = 0;
  // A word holds eight units at most; go on by whole words while it cannot pass the place.
  while (unit >= static_cast<int64_t>(kWord) && at + kWord <= utf8.size()) {
    const uint64_t word = Load(utf8.data() + at);
    unit -= static_cast<int64_t>(kWord) - Continuations(word) + PairStarts(word);
    at += kWord;
  }
  // The last word may have ended within a character, whose units are counted already.
  while (at < utf8.size() && IsContinuation(utf8[at])) ++at;
  for (; unit > 0 && at < utf8.size(); ++at) {
    unit -= IsPairStart(utf8[at]) ? 2 : 1;
    while (at + 1 < utf8.size() && IsContinuation(utf8[at + 1])) ++at;
  }
  if (unit != 0) return std::nullopt;
  return at;
}

int64_t UnitOfPoint(absl::string_view utf8, int64_t point) {
  int64_t units = 0;
  for (size_t at = 0; at < utf8.size(); ++at) {
    if (IsContinuation(utf8[at])) continue;
    if (point-- == 0) break;
    units += IsPairStart(utf8[at]) ? 2 : 1;
  }
  return units;
}

}  // namespace bdcsync::ot
