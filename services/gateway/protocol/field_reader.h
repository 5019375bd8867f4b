// Reads the fields of one JSON object of a client message and remembers the first that is wrong,
// with its place. After an error every read gives an empty value. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::gateway {

class FieldReader {
 public:
  // `object` is borrowed and must be an object; `path` is its place in the message, a JSON pointer.
  FieldReader(const json::Value& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  const absl::Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }
  bool Has(absl::string_view name) const { return object_.Find(name) != nullptr; }

  // The field `name`. Required fields must be there and not empty; others may be left out.
  std::string Text(absl::string_view name, size_t bytes_max);
  std::string RequiredText(absl::string_view name, size_t bytes_max);
  bool Bool(absl::string_view name);
  std::optional<int64_t> Int(absl::string_view name, int64_t min, int64_t max);
  // How many of a list are asked for, at least 1; more than `max` are `max`. 0 when left out.
  int64_t Limit(absl::string_view name, int64_t max);
  // Milliseconds since 1970 of an RFC 3339 time; 0 when left out.
  int64_t TimeMs(absl::string_view name);
  // The value that `choices` gives the text of the field; `fallback` when it is left out.
  int Choice(absl::string_view name,
             std::initializer_list<std::pair<absl::string_view, int>> choices, int fallback);
  std::vector<std::string> Texts(absl::string_view name, size_t count_max, size_t bytes_max);
  // JSON Pointers, into data: names of members may hold U+0000, which no other text may.
  std::vector<std::string> Pointers(absl::string_view name, size_t count_max, size_t bytes_max);
  // The field itself; null when it is left out.
  const json::Value* Object(absl::string_view name);
  const json::Value* RequiredArray(absl::string_view name, size_t count_max);
  const json::Value* RequiredValue(absl::string_view name);

  // Fails the reading at the field `name`, unless it has failed before.
  void Fail(absl::string_view name, absl::string_view message);
  void FailTooLarge(absl::string_view name, size_t max);
  // Takes over the failure of a check of the field that the status names (PathOf).
  void Check(const absl::Status& status);
  // Takes over the failure of a reader of an object inside this one.
  void Take(const absl::Status& status) {
    if (ok()) status_ = status;
  }
  std::string PathTo(absl::string_view name) const;

 private:
  // The field, unless the reading has failed or it is of another kind.
  const json::Value* Find(absl::string_view name, json::Kind kind);
  bool CheckSize(absl::string_view name, absl::string_view text, size_t bytes_max);
  bool CheckText(absl::string_view name, absl::string_view text, size_t bytes_max);
  using TextCheck = bool (FieldReader::*)(absl::string_view name, absl::string_view text,
                                          size_t bytes_max);
  std::vector<std::string> TextsThat(TextCheck check, absl::string_view name, size_t count_max,
                                     size_t bytes_max);

  const json::Value& object_;
  const std::string path_;
  absl::Status status_;
};

}  // namespace bdcsync::gateway
