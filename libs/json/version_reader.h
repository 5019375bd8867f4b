// Reads several versions of one document. What stands in a later text as it stands in the first is
// not read again: the values share it, so that reading, comparing and freeing them costs little
// more than what differs. The values are those of Parse and live as long as they like. Not
// thread-safe; the values are as any others.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/parse.h"
#include "libs/json/text_parser.h"
#include "libs/json/value.h"

namespace bdcsync::json {

class VersionReader {
 public:
  explicit VersionReader(const ParseLimits& limits = {}) : limits_(limits) {}
  VersionReader(const VersionReader&) = delete;
  VersionReader& operator=(const VersionReader&) = delete;

  // As Parse. The first text that is JSON is borrowed: it must outlive this reader, unchanged
  // and in its place.
  absl::StatusOr<Value> Read(absl::string_view text);

 private:
  const ParseLimits limits_;
  Landmarks landmarks_;  // Of the first version.
  // Shares the first version, so that its containers are there whatever becomes of its value.
  std::optional<Value> first_;
};

}  // namespace bdcsync::json
