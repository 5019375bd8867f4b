#include "libs/json/pointer.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"

namespace bdcsync::json {
namespace {

constexpr size_t kIndexDigitsMax = 18;

// Appends the unescaped `token` to `tokens`; false when it has a bad escape.
bool AddToken(absl::string_view token, PointerTokens& tokens) {
  std::string& plain = tokens.emplace_back();
  plain.reserve(token.size());
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      plain.push_back(token[i]);
      continue;
    }
    ++i;
    if (i == token.size() || (token[i] != '0' && token[i] != '1')) return false;
    plain.push_back(token[i] == '0' ? '~' : '/');
  }
  return true;
}

const Value* Step(const Value& value, absl::string_view token) {
  if (value.is_object()) return value.object().Find(token);
  if (!value.is_array()) return nullptr;
  const std::optional<size_t> index = ParseIndex(token);
  return index && *index < value.array().size() ? &value.array()[*index] : nullptr;
}

}  // namespace

absl::StatusOr<PointerTokens> ParsePointer(absl::string_view pointer) {
  PointerTokens tokens;
  if (pointer.empty()) return tokens;
  if (pointer[0] != '/') {
    return MakeError(Reason::kInvalidArgument, "a JSON pointer is empty or starts with /");
  }
  pointer.remove_prefix(1);
  while (true) {
    const size_t slash = pointer.find('/');
    if (!AddToken(pointer.substr(0, slash), tokens)) {
      return MakeError(Reason::kInvalidArgument, "in a JSON pointer ~ stands before 0 or 1 only");
    }
    if (slash == absl::string_view::npos) return tokens;
    pointer.remove_prefix(slash + 1);
  }
}

std::string FormatPointer(absl::Span<const std::string> tokens) {
  std::string pointer;
  for (const std::string& token : tokens) AppendToken(token, pointer);
  return pointer;
}

void AppendToken(absl::string_view token, std::string& pointer) {
  pointer.push_back('/');
  for (const char c : token) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
}

void AppendToken(size_t index, std::string& pointer) { absl::StrAppend(&pointer, "/", index); }

std::optional<size_t> ParseIndex(absl::string_view token) {
  if (token.empty() || token.size() > kIndexDigitsMax) return std::nullopt;
  if (token[0] == '0' && token.size() > 1) return std::nullopt;
  size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return index;
}

const Value* Resolve(const Value& document, absl::Span<const std::string> tokens) {
  const Value* value = &document;
  for (const std::string& token : tokens) {
    value = Step(*value, token);
    if (value == nullptr) break;
  }
  return value;
}

Value* Resolve(Value& document, absl::Span<const std::string> tokens) {
  return const_cast<Value*>(Resolve(static_cast<const Value&>(document), tokens));
}

const Value* Resolve(const Value& document, absl::string_view pointer) {
  const absl::StatusOr<PointerTokens> tokens = ParsePointer(pointer);
  return tokens.ok() ? Resolve(document, *tokens) : nullptr;
}

}  // namespace bdcsync::json
