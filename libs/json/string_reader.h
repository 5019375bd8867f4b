// JSON strings to UTF-8. Internal to the parser. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/text_scan.h"

namespace bdcsync::json {

// A string that was read.
struct QuotedText {
  const char* data;
  size_t size;
  const char* behind;  // The byte after its closing quote; nullptr: it is no string.
};

struct StringFault {
  const char* at = nullptr;
  absl::string_view what;
};

// What ReadQuoted does when not all of the string is ASCII without escapes. `at` is at the first
// byte that is not, `begin` behind the quote.
QuotedText ReadUnusualString(const char* begin, const char* at, const char* end,
                             std::string& decoded, StringFault& fault);

// Reads the string whose quote is at `quote`. The result is a part of the text or, when it had
// escapes, `decoded`.
inline QuotedText ReadQuoted(const char* quote, const char* end, std::string& decoded,
                             StringFault& fault) {
  const char* const begin = quote + 1;
  const char* const at = begin + PlainPrefix<Plain::kAscii>(begin, end);
  if (at == end || *at != '"') return ReadUnusualString(begin, at, end, decoded, fault);
  return {begin, static_cast<size_t>(at - begin), at + 1};
}

}  // namespace bdcsync::json
