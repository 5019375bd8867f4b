// JSON Pointer (RFC 6901): "" is the whole document, "/a/0/b~1c" a place inside. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/json/value.h"

namespace bdcsync::json {

using PointerTokens = std::vector<std::string>;  // Unescaped.

// The tokens of `pointer`. kInvalidArgument when it does not start with "/" or has a "~" that is
// not followed by 0 or 1.
absl::StatusOr<PointerTokens> ParsePointer(absl::string_view pointer);
std::string FormatPointer(absl::Span<const std::string> tokens);
// Appends "/" and the escaped token.
void AppendToken(absl::string_view token, std::string& pointer);
void AppendToken(size_t index, std::string& pointer);

// An array index as RFC 6901 writes it: "0" or digits without a leading zero; nothing otherwise.
std::optional<size_t> ParseIndex(absl::string_view token);

// The value at the place; nullptr when there is none ("-" never names an element that exists).
const Value* Resolve(const Value& document, absl::Span<const std::string> tokens);
Value* Resolve(Value& document, absl::Span<const std::string> tokens);
// The same from text; a malformed pointer resolves to nothing.
const Value* Resolve(const Value& document, absl::string_view pointer);

}  // namespace bdcsync::json
