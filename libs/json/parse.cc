#include "libs/json/parse.h"

#include "libs/json/text_parser.h"

namespace bdcsync::json {

absl::StatusOr<Value> Parse(absl::string_view text, const ParseLimits& limits) {
  return ParseText(text, limits);
}

}  // namespace bdcsync::json
