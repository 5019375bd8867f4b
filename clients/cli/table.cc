#include "clients/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bdcsync::cli {
namespace {

constexpr std::size_t kCellWidthMax = 60;
constexpr std::size_t kGap = 2;
constexpr char kDelete = 0x7f;

bool BeginsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

// ASCII's control characters and those of U+0080 to U+009F, which begin with the byte c2.
bool IsControl(absl::string_view text, std::size_t at) {
  const auto code = static_cast<unsigned char>(text[at]);
  const bool upper =
      code == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
  return code < 0x20 || text[at] == kDelete || upper;
}

std::size_t WidthOf(absl::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), BeginsCharacter));
}

}  // namespace

std::string OneLine(absl::string_view text, std::size_t width) {
  std::string line;
  std::size_t characters = 0;
  const bool cut = WidthOf(text) > width;
  bool hidden = false;  // Inside a control character.
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (BeginsCharacter(text[at])) {
      if (++characters > (cut ? width - 1 : width)) break;
      hidden = IsControl(text, at);
      line.push_back(hidden ? ' ' : text[at]);
    } else if (!hidden) {
      line.push_back(text[at]);
    }
  }
  if (cut) line += "…";
  return line;
}

std::string EscapeControls(absl::string_view json) {
  std::string text;
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (static_cast<unsigned char>(json[at]) < 0x20 || !IsControl(json, at)) {
      text.push_back(json[at]);
      continue;
    }
    if (json[at] != kDelete) ++at;  // The second byte is the code point.
    absl::StrAppend(&text, "\\u00", absl::Hex(static_cast<unsigned char>(json[at])));
  }
  return text;
}

std::string FormatTable(const std::vector<Row>& rows) {
  std::vector<Row> cells = rows;
  std::vector<std::size_t> widths;
  for (Row& row : cells) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column) {
      row[column] = OneLine(row[column], kCellWidthMax);
      widths[column] = std::max(widths[column], WidthOf(row[column]));
    }
  }
  std::string text;
  for (const Row& row : cells) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      line.append(widths[column] - WidthOf(row[column]) + kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace bdcsync::cli
