#include "libs/json/serialize.h"

#include <cstring>

#include "absl/base/attributes.h"
#include "libs/json/text_scan.h"

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

// How many bytes at the start of `text` need no escape.
size_t PlainSize(absl::string_view text) {
  return PlainPrefix<Plain::kAnyUtf8>(text.data(), text.data() + text.size());
}

// Gathers what is written, so that most tokens are a few stores; `out` has it all after Finish.
// Where it stands goes through arguments and results, which registers hold, not through a member.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  char* Begin() { return buffer_; }
  void Finish(char* to) { Flush(to); }

  char* Put(char c, char* to) {
    to = Room(1, to);
    *to = c;
    return to + 1;
  }
  char* Put(absl::string_view text, char* to) {
    if (text.size() > kShortBytesMax) {
      to = Flush(to);
      out_.append(text.data(), text.size());
      return to;
    }
    to = Room(text.size(), to);
    if (text.size() <= 16) {
      CopyShort(text.data(), text.size(), to);
    } else {
      std::memcpy(to, text.data(), text.size());
    }
    return to + text.size();
  }
  char* PutSpaces(size_t count, char* to) {
    for (; count > 0; --count) to = Put(' ', to);
    return to;
  }
  // With a byte before and behind it; 0: none.
  template <char kBefore = 0, char kBehind = 0>
  char* PutQuoted(absl::string_view utf8, char* to) {
    if (utf8.size() > kShortBytesMax) return PutQuotedParts(kBefore, utf8, kBehind, to);
    to = Room(utf8.size() + 4, to);
    char* const begin = to;
    if (kBefore != 0) *to++ = kBefore;
    *to++ = '"';
    if (!CopyPlain(utf8, to)) return PutQuotedParts(kBefore, utf8, kBehind, begin);
    to += utf8.size();
    *to++ = '"';
    if (kBehind != 0) *to++ = kBehind;
    return to;
  }

 private:
  static constexpr size_t kBufferBytes = 1024;
  static constexpr size_t kShortBytesMax = 256;

  char* Room(size_t bytes, char* to) {
    return static_cast<size_t>(buffer_ + kBufferBytes - to) < bytes ? Flush(to) : to;
  }
  ABSL_ATTRIBUTE_NOINLINE char* Flush(char* to) {
    out_.append(buffer_, static_cast<size_t>(to - buffer_));
    return buffer_;
  }
  // True when no byte of `text` must be escaped. `to`, which has room for all, may be written to
  // anyway.
  static bool CopyPlain(absl::string_view text, char* to) {
    const char* const from = text.data();
    const size_t size = text.size();
    size_t i = 0;
    for (; i + kBlockBytes <= size; i += kBlockBytes) {
      const auto block = LoadBlock(from + i);
      if (NotPlain<Plain::kAnyUtf8>(block) != 0) return false;
      std::memcpy(to + i, &block, sizeof(block));
    }
    if (i == size) return true;
    if (size >= kBlockBytes) {  // The last block, some of it for the second time.
      const auto block = LoadBlock(from + size - kBlockBytes);
      std::memcpy(to + size - kBlockBytes, &block, sizeof(block));
      return NotPlain<Plain::kAnyUtf8>(block) == 0;
    }
    CopyShort(from, size, to);
    const bool head_is_plain = size <= 8 || NotPlain<Plain::kAnyUtf8>(LoadWord(from)) == 0;
    return head_is_plain && NotPlain<Plain::kAnyUtf8>(LoadLast(from, size)) == 0;
  }
  // With escapes, or long.
  ABSL_ATTRIBUTE_NOINLINE char* PutQuotedParts(char before, absl::string_view utf8, char behind,
                                               char* to);
  char* PutEscaped(char c, char* to);

  std::string& out_;
  char buffer_[kBufferBytes];
};

char* Writer::PutQuotedParts(char before, absl::string_view utf8, char behind, char* to) {
  if (before != 0) to = Put(before, to);
  to = Put('"', to);
  while (true) {
    const size_t plain = PlainSize(utf8);
    to = Put(utf8.substr(0, plain), to);
    if (plain == utf8.size()) break;
    to = PutEscaped(utf8[plain], to);
    utf8.remove_prefix(plain + 1);
  }
  to = Put('"', to);
  return behind != 0 ? Put(behind, to) : to;
}

char* Writer::PutEscaped(char c, char* to) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto escape = [&](char letter) { return Put(letter, Put('\\', to)); };
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
      to = Put("\\u00", to);
      return Put(kHex[c & 0xf], Put(kHex[(c >> 4) & 0xf], to));
  }
}

// How containers are laid out.
struct Compact {
  char* Open(char bracket, Writer& out, char* to) { return out.Put(bracket, to); }
  char* Next(bool first, Writer& out, char* to) { return first ? to : out.Put(',', to); }
  char* Key(bool first, absl::string_view key, Writer& out, char* to) {
    return first ? out.PutQuoted<0, ':'>(key, to) : out.PutQuoted<',', ':'>(key, to);
  }
  char* Close(char bracket, bool empty, Writer& out, char* to) { return out.Put(bracket, to); }
};

struct Indented {
  size_t level = 0;

  char* Open(char bracket, Writer& out, char* to) {
    ++level;
    return out.Put(bracket, to);
  }
  char* Next(bool first, Writer& out, char* to) {
    return NewLine(out, first ? to : out.Put(',', to));
  }
  char* Key(bool first, absl::string_view key, Writer& out, char* to) {
    return out.Put(": ", out.PutQuoted(key, Next(first, out, to)));
  }
  char* Close(char bracket, bool empty, Writer& out, char* to) {
    --level;
    return out.Put(bracket, empty ? to : NewLine(out, to));
  }
  char* NewLine(Writer& out, char* to) { return out.PutSpaces(level * 2, out.Put('\n', to)); }
};

template <typename Layout>
char* Write(const Value& value, Layout& layout, Writer& out, char* to) {
  switch (value.kind()) {
    case Kind::kNull:
      return out.Put("null", to);
    case Kind::kBool:
      return out.Put(value.boolean() ? "true" : "false", to);
    case Kind::kNumber:
      return out.Put(value.number_text(), to);
    case Kind::kString:
      return out.PutQuoted(value.string(), to);
    case Kind::kArray: {
      to = layout.Open('[', out, to);
      bool first = true;
      for (const Value& element : value.array()) {
        to = Write(element, layout, out, layout.Next(first, out, to));
        first = false;
      }
      return layout.Close(']', first, out, to);
    }
    case Kind::kObject: {
      to = layout.Open('{', out, to);
      bool first = true;
      for (const Member& member : value.object()) {
        to = Write(member.value, layout, out, layout.Key(first, member.key, out, to));
        first = false;
      }
      return layout.Close('}', first, out, to);
    }
  }
  return to;
}

template <typename Layout>
void WriteAll(const Value& value, Layout layout, std::string& out) {
  Writer writer(out);
  writer.Finish(Write(value, layout, writer, writer.Begin()));
}

}  // namespace

std::string Serialize(const Value& value) {
  std::string out;
  AppendTo(value, out);
  return out;
}

void AppendTo(const Value& value, std::string& out) { WriteAll(value, Compact(), out); }

void AppendQuoted(absl::string_view utf8, std::string& out) {
  Writer writer(out);
  writer.Finish(writer.PutQuoted(utf8, writer.Begin()));
}

size_t QuotedSize(absl::string_view utf8) {
  size_t size = utf8.size() + 2;
  for (absl::string_view rest = utf8.substr(PlainSize(utf8)); !rest.empty();
       rest = rest.substr(1 + PlainSize(rest.substr(1)))) {
    size += kEscapedSize.size[static_cast<unsigned char>(rest[0])] - 1;
  }
  return size;
}

std::string SerializePretty(const Value& value) {
  std::string out;
  WriteAll(value, Indented(), out);
  return out;
}

}  // namespace bdcsync::json
