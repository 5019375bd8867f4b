// Columns of text for a terminal: as wide as their widest cell, two spaces apart. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bdcsync::cli {

using Row = std::vector<std::string>;

// `rows`, the first of which is the heading. Long cells are shortened.
std::string FormatTable(const std::vector<Row>& rows);

// `text` (UTF-8) on one line of at most `width` characters, with an ellipsis when it is cut.
// Control characters become spaces, so that data cannot steer the terminal.
std::string OneLine(absl::string_view text, std::size_t width);

// `json` with the control characters escaped that JSON allows in its strings and terminals obey:
// U+007F to U+009F. The same JSON, for people to read.
std::string EscapeControls(absl::string_view json);

}  // namespace bdcsync::cli
