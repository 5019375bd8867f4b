// Appends one JSON object to a string, field by field, with nothing in between: how every message
// to a client is built. Fields keep the order of the calls. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/json/serialize.h"

namespace bdcsync::gateway {

// Appends `time_ms` (since 1970) as an RFC 3339 time in UTC with milliseconds, in quotes.
void AppendTime(int64_t time_ms, std::string& out);

class JsonWriter {
 public:
  // Begins an object at the end of `out`, which is borrowed.
  explicit JsonWriter(std::string& out) : out_(out) { out_.push_back('{'); }

  // `name` is one of ours: plain letters.
  void Text(absl::string_view name, absl::string_view value) {
    Name(name);
    json::AppendQuoted(value, out_);
  }
  // Left out when empty.
  void TextUnlessEmpty(absl::string_view name, absl::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  // `json` is JSON text.
  void Raw(absl::string_view name, absl::string_view json) {
    Name(name);
    out_.append(json.data(), json.size());
  }
  void Int(absl::string_view name, int64_t value) {
    Name(name);
    absl::StrAppend(&out_, value);
  }
  void Bool(absl::string_view name, bool value) { Raw(name, value ? "true" : "false"); }
  void Time(absl::string_view name, int64_t time_ms) {
    Name(name);
    AppendTime(time_ms, out_);
  }
  // Appends the value of `name` by `append(out)`.
  template <typename Append>
  void Value(absl::string_view name, Append append) {
    Name(name);
    append(out_);
  }
  // An array of strings.
  template <typename Texts>
  void TextArray(absl::string_view name, const Texts& texts) {
    Array(name, texts, [](const auto& text, std::string& out) { json::AppendQuoted(text, out); });
  }
  // An array whose elements `append(element, out)` writes.
  template <typename Elements, typename Append>
  void Array(absl::string_view name, const Elements& elements, Append append) {
    Name(name);
    out_.push_back('[');
    bool first = true;
    for (const auto& element : elements) {
      if (!first) out_.push_back(',');
      first = false;
      append(element, out_);
    }
    out_.push_back(']');
  }
  void End() { out_.push_back('}'); }

 private:
  void Name(absl::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    out_.push_back('"');
    out_.append(name.data(), name.size());
    out_.append("\":", 2);
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace bdcsync::gateway
