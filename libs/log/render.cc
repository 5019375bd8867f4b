#include "libs/log/render.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace bdcsync::log {
namespace {

constexpr absl::string_view kReplacement = "\\ufffd";
constexpr absl::string_view kCut = "…";

// How many bytes the well-formed UTF-8 character at the start of `text` has; 0 if it is malformed.
std::size_t CharacterBytes(absl::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (lead == 0xed && byte(1) > 0x9f) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

void AppendCharacter(absl::string_view character, std::string& out) {
  switch (character[0]) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(character[0]);
  if (code < 0x20 || code == 0x7f) {
    absl::StrAppendFormat(&out, "\\u%04x", code);
  } else {
    out.append(character.data(), character.size());
  }
}

void AppendQuoted(absl::string_view text, std::string& out) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size() && at < kTextBytesMax) {
    const std::size_t bytes = CharacterBytes(text.substr(at));
    if (bytes == 0) {
      absl::StrAppend(&out, kReplacement);
      ++at;
    } else {
      AppendCharacter(text.substr(at, bytes), out);
      at += bytes;
    }
  }
  if (at < text.size()) absl::StrAppend(&out, kCut);
  out += '"';
}

void AppendNumber(double number, std::string& out) {
  if (std::isfinite(number)) {
    absl::StrAppendFormat(&out, "%.12g", number);
  } else {
    out += "null";
  }
}

void AppendValue(const Field::FieldValue& value, std::string& out) {
  if (const auto* text = std::get_if<absl::string_view>(&value)) {
    AppendQuoted(*text, out);
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    absl::StrAppend(&out, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    AppendNumber(*real, out);
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

std::string FormatTimestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

// Whether a text can stand in a line for people without quotes.
bool IsPlain(absl::string_view text) {
  if (text.empty() || text.size() > kTextBytesMax) return false;
  for (const char c : text) {
    if (!absl::ascii_isgraph(c) || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

}  // namespace

std::string RenderJson(const Record& record) {
  std::string line = absl::StrCat("{\"time\":\"", FormatTimestamp(record.time), "\",\"level\":\"",
                                  LevelName(record.level), "\",\"service\":");
  AppendQuoted(record.service, line);
  line += ",\"message\":";
  AppendQuoted(record.message, line);
  for (const absl::Span<const Field> fields : {record.context, record.fields}) {
    for (const Field& field : fields) {
      line += ',';
      AppendQuoted(field.name, line);
      line += ':';
      AppendValue(field.value, line);
    }
  }
  line += '}';
  return line;
}

std::string RenderText(const Record& record) {
  std::string message;
  AppendQuoted(record.message, message);
  std::string line = absl::StrFormat("%s %-5s %s  %s", FormatTimestamp(record.time),
                                     absl::AsciiStrToUpper(LevelName(record.level)), record.service,
                                     absl::string_view(message).substr(1, message.size() - 2));
  for (const absl::Span<const Field> fields : {record.context, record.fields}) {
    for (const Field& field : fields) {
      absl::StrAppend(&line, "  ", field.name, "=");
      const auto* text = std::get_if<absl::string_view>(&field.value);
      if (text != nullptr && IsPlain(*text)) {
        absl::StrAppend(&line, *text);
      } else {
        AppendValue(field.value, line);
      }
    }
  }
  return line;
}

}  // namespace bdcsync::log
