#include "libs/json/serialize.h"

#include <cstring>

namespace bdcsync::json {
namespace {

// 1: as it is; 2: a backslash and a letter; 6: \u00xx.
constexpr uint8_t EscapedSize(unsigned char c) {
  if (c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
    return 2;
  }
  return c < 0x20 ? 6 : 1;
}

constexpr auto kEscapedSize = [] {
  struct {
    uint8_t size[256];
  } table{};
  for (int c = 0; c < 256; ++c) table.size[c] = EscapedSize(static_cast<unsigned char>(c));
  return table;
}();

// Whether any of eight bytes must be escaped (the usual carry tricks; exact when the answer is no).
bool AnyEscaped(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kHighs = 0x8080808080808080u;
  const auto has_zero = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighs; };
  const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  return (below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'))) != 0;
}

// How many bytes at the start of `text` need no escape.
size_t PlainPrefix(absl::string_view text) {
  size_t i = 0;
  while (i + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (AnyEscaped(word)) break;
    i += 8;
  }
  while (i < text.size() && kEscapedSize.size[static_cast<unsigned char>(text[i])] == 1) ++i;
  return i;
}

void AppendEscaped(char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto escape = [&](char letter) {
    out.push_back('\\');
    out.push_back(letter);
  };
  switch (c) {
    case '"':
    case '\\':
      return escape(c);
    case '\b':
      return escape('b');
    case '\f':
      return escape('f');
    case '\n':
      return escape('n');
    case '\r':
      return escape('r');
    case '\t':
      return escape('t');
    default:
      out.append("\\u00");
      out.push_back(kHex[(c >> 4) & 0xf]);
      out.push_back(kHex[c & 0xf]);
  }
}

// How containers are laid out.
struct Compact {
  void Open(char bracket, std::string& out) { out.push_back(bracket); }
  void Next(bool first, std::string& out) {
    if (!first) out.push_back(',');
  }
  void Colon(std::string& out) { out.push_back(':'); }
  void Close(char bracket, bool empty, std::string& out) { out.push_back(bracket); }
};

struct Indented {
  size_t level = 0;

  void Open(char bracket, std::string& out) {
    out.push_back(bracket);
    ++level;
  }
  void Next(bool first, std::string& out) {
    if (!first) out.push_back(',');
    NewLine(out);
  }
  void Colon(std::string& out) { out.append(": "); }
  void Close(char bracket, bool empty, std::string& out) {
    --level;
    if (!empty) NewLine(out);
    out.push_back(bracket);
  }
  void NewLine(std::string& out) {
    out.push_back('\n');
    out.append(level * 2, ' ');
  }
};

template <typename Layout>
void Write(const Value& value, Layout& layout, std::string& out) {
  switch (value.kind()) {
    case Kind::kNull:
      out.append("null");
      return;
    case Kind::kBool:
      out.append(value.boolean() ? "true" : "false");
      return;
    case Kind::kNumber:
      out.append(value.number_text().data(), value.number_text().size());
      return;
    case Kind::kString:
      AppendQuoted(value.string(), out);
      return;
    case Kind::kArray: {
      layout.Open('[', out);
      bool first = true;
      for (const Value& element : value.array()) {
        layout.Next(first, out);
        first = false;
        Write(element, layout, out);
      }
      return layout.Close(']', first, out);
    }
    case Kind::kObject: {
      layout.Open('{', out);
      bool first = true;
      for (const Member& member : value.object()) {
        layout.Next(first, out);
        first = false;
        AppendQuoted(member.key, out);
        layout.Colon(out);
        Write(member.value, layout, out);
      }
      return layout.Close('}', first, out);
    }
  }
}

}  // namespace

std::string Serialize(const Value& value) {
  std::string out;
  AppendTo(value, out);
  return out;
}

void AppendTo(const Value& value, std::string& out) {
  Compact layout;
  Write(value, layout, out);
}

void AppendQuoted(absl::string_view utf8, std::string& out) {
  out.push_back('"');
  while (true) {
    const size_t plain = PlainPrefix(utf8);
    out.append(utf8.data(), plain);
    if (plain == utf8.size()) break;
    AppendEscaped(utf8[plain], out);
    utf8.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

size_t QuotedSize(absl::string_view utf8) {
  size_t size = utf8.size() + 2;
  for (absl::string_view rest = utf8.substr(PlainPrefix(utf8)); !rest.empty();
       rest = rest.substr(1 + PlainPrefix(rest.substr(1)))) {
    size += kEscapedSize.size[static_cast<unsigned char>(rest[0])] - 1;
  }
  return size;
}

std::string SerializePretty(const Value& value) {
  std::string out;
  Indented layout;
  Write(value, layout, out);
  return out;
}

}  // namespace bdcsync::json
