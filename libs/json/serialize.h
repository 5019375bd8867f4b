// json::Value to text. Compact and deterministic: members in their order, numbers with the digits
// they came with, only what must be escaped escaped; UTF-8 in, UTF-8 out. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::json {

std::string Serialize(const Value& value);
void AppendTo(const Value& value, std::string& out);
// Appends `utf8` as a JSON string with its quotes.
void AppendQuoted(absl::string_view utf8, std::string& out);
// How many bytes AppendQuoted appends.
size_t QuotedSize(absl::string_view utf8);
// For people: one member or element a line, indented by two spaces, no newline at the end.
std::string SerializePretty(const Value& value);

}  // namespace bdcsync::json
