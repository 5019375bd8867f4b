#include "services/gateway/protocol/message_id.h"

#include "libs/json/parse.h"
#include "libs/json/serialize.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::string_view kSpace = " \t\n\r";
constexpr absl::string_view kScalarEnd = ",]} \t\n\r";
constexpr absl::string_view kIdKey = "\"id\"";

size_t SkipSpace(absl::string_view text, size_t at) {
  const size_t next = text.find_first_not_of(kSpace, at);
  return next == absl::string_view::npos ? text.size() : next;
}

// Behind the string that begins at `at`, or the end of a text that ends within it.
size_t SkipString(absl::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// The string or number that begins at `at`, as far as the text goes.
absl::string_view ScalarAt(absl::string_view text, size_t at) {
  if (at >= text.size()) return "";
  if (text[at] == '"') return text.substr(at, SkipString(text, at) - at);
  const size_t end = text.find_first_of(kScalarEnd, at);
  return text.substr(at, end == absl::string_view::npos ? end : end - at);
}

}  // namespace

std::string MessageIdOf(const json::Value& id) {
  if (!id.is_string() && !id.is_number()) return "";
  std::string text = json::Serialize(id);
  if (text.size() > kIdBytesMax) text.clear();
  return text;
}

std::string SalvageMessageId(absl::string_view text) {
  std::string found;
  size_t depth = 0;
  size_t at = SkipSpace(text, 0);
  while (at < text.size()) {
    const char letter = text[at];
    if (letter == '"') {
      const size_t end = SkipString(text, at);
      const bool named_id = depth == 1 && text.substr(at, end - at) == kIdKey;
      at = SkipSpace(text, end);
      if (!named_id || at >= text.size() || text[at] != ':') continue;
      const absl::string_view scalar = ScalarAt(text, SkipSpace(text, at + 1));
      if (const auto id = json::Parse(scalar); id.ok()) {
        if (std::string known = MessageIdOf(*id); !known.empty()) found = std::move(known);
      }
      continue;
    }
    if (letter == '{' || letter == '[') ++depth;
    if ((letter == '}' || letter == ']') && depth > 0 && --depth == 0) break;
    ++at;
  }
  return found;
}

}  // namespace bdcsync::gateway
