// A text inside an entity's data, opened once and edited many times: the data around it is kept as
// JSON that is not looked at again. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/ot/delta.h"
#include "libs/ot/document.h"

namespace bdcsync::version {

class TextDocument {
 public:
  // Opens the text at the JSON pointer `path` of `data`: a string, an array of insert operations
  // (rich text), or nothing or null (an empty text) where it could be. kPreconditionFailed at
  // /text/path when there is something else, or no place for it.
  static absl::StatusOr<TextDocument> Open(absl::string_view data, absl::string_view path);

  // Errors as ot::Document::Apply; then nothing was done.
  absl::Status Apply(const ot::Delta& ops);
  // All of the data, nothing when that is more than `bytes_max`. The text is a string until it was
  // given formats or embeds.
  std::optional<std::string> Write(size_t bytes_max) const;

  ot::Delta Content() const { return document_.Content(); }
  int64_t units() const { return document_.size().units; }
  // Whether the path leads through an array, where it is true only as long as nobody moves
  // anything.
  bool in_array() const { return in_array_; }

 private:
  TextDocument() = default;

  std::string before_;
  std::string after_;
  bool in_array_ = false;
  bool rich_ = false;
  ot::Document document_;
};

}  // namespace bdcsync::version
