#include "libs/json/string_reader.h"

#include <cstdint>

namespace bdcsync::json {
namespace {

constexpr bool IsIn(char c, unsigned char from, unsigned char to) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= from && byte <= to;
}

// The size of the UTF-8 sequence of several bytes at `at`; 0: it is none. As Unicode's table 3-7
// has them: no overlong forms, no surrogates, nothing beyond U+10FFFF.
size_t SequenceSize(const char* at, const char* end) {
  const auto first = static_cast<unsigned char>(*at);
  const auto left = static_cast<size_t>(end - at);
  if (first >= 0xc2 && first <= 0xdf) return left >= 2 && IsIn(at[1], 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned char from = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned char to = first == 0xed ? 0x9f : 0xbf;
    return left >= 3 && IsIn(at[1], from, to) && IsIn(at[2], 0x80, 0xbf) ? 3 : 0;
  }
  if (first < 0xf0 || first > 0xf4 || left < 4) return 0;
  const unsigned char from = first == 0xf0 ? 0x90 : 0x80;
  const unsigned char to = first == 0xf4 ? 0x8f : 0xbf;
  const bool good = IsIn(at[1], from, to) && IsIn(at[2], 0x80, 0xbf) && IsIn(at[3], 0x80, 0xbf);
  return good ? 4 : 0;
}

void AppendUtf8(uint32_t point, std::string& out) {
  const auto add = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xc0 | (point >> 6));
  } else {
    if (point < 0x10000) {
      add(0xe0 | (point >> 12));
    } else {
      add(0xf0 | (point >> 18));
      add(0x80 | ((point >> 12) & 0x3f));
    }
    add(0x80 | ((point >> 6) & 0x3f));
  }
  add(0x80 | (point & 0x3f));
}

// The four hexadecimal digits at `at`, which goes behind them.
bool ReadHex(const char*& at, const char* end, uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i, ++at) {
    if (at == end) return false;
    const char lower = static_cast<char>(*at | 0x20);
    if (IsIn(*at, '0', '9')) {
      out = out * 16 + static_cast<uint32_t>(*at - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      out = out * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

constexpr bool IsHighSurrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
constexpr bool IsLowSurrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// What follows \u, `at` behind it.
bool ReadUnit(const char*& at, const char* end, std::string& out) {
  uint32_t point;
  if (!ReadHex(at, end, point) || IsLowSurrogate(point)) return false;
  if (IsHighSurrogate(point)) {
    if (end - at < 2 || at[0] != '\\' || at[1] != 'u') return false;
    at += 2;
    uint32_t low;
    if (!ReadHex(at, end, low) || !IsLowSurrogate(low)) return false;
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(point, out);
  return true;
}

// The escape whose backslash `at` stands at; goes behind it.
bool ReadEscape(const char*& at, const char* end, std::string& out) {
  if (++at == end) return false;
  const char letter = *at;
  const auto add = [&](char c) {
    ++at;
    out.push_back(c);
    return true;
  };
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return add(letter);
    case 'b':
      return add('\b');
    case 'f':
      return add('\f');
    case 'n':
      return add('\n');
    case 'r':
      return add('\r');
    case 't':
      return add('\t');
    case 'u':
      return ReadUnit(++at, end, out);
    default:
      return false;
  }
}

}  // namespace

QuotedText ReadUnusualString(const char* begin, const char* at, const char* end,
                             std::string& decoded, StringFault& fault) {
  const char* copied = begin;  // Up to where `decoded` holds the string, once it has an escape.
  bool escaped = false;
  const auto fail = [&fault, &at](absl::string_view why) {
    fault = {at, why};
    return QuotedText{nullptr, 0, nullptr};
  };
  decoded.clear();
  while (at < end && *at != '"') {
    if (static_cast<unsigned char>(*at) >= 0x80) {
      const size_t size = SequenceSize(at, end);
      if (size == 0) return fail("not UTF-8");
      at += size;
    } else if (*at == '\\') {
      escaped = true;
      decoded.append(copied, static_cast<size_t>(at - copied));
      if (!ReadEscape(at, end, decoded)) return fail("no such escape in a string");
      copied = at;
    } else {
      const size_t plain = PlainPrefix<Plain::kAscii>(at, end);
      if (plain == 0) return fail("a control character in a string");
      at += plain;
    }
  }
  if (at == end) return fail("incomplete JSON");
  if (!escaped) return {begin, static_cast<size_t>(at - begin), at + 1};
  decoded.append(copied, static_cast<size_t>(at - copied));
  return {decoded.data(), decoded.size(), at + 1};
}

}  // namespace bdcsync::json
