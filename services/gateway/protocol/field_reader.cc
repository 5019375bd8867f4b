#include "services/gateway/protocol/field_reader.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "libs/json/pointer.h"

namespace bdcsync::gateway {

std::string FieldReader::PathTo(absl::string_view name) const {
  std::string path = path_;
  json::AppendToken(name, path);
  return path;
}

void FieldReader::Fail(absl::string_view name, absl::string_view message) {
  if (ok()) status_ = MakeErrorAt(Reason::kInvalidArgument, PathTo(name), message);
}

void FieldReader::FailTooLarge(absl::string_view name, size_t max) {
  if (!ok()) return;
  status_ =
      MakeErrorAt(Reason::kTooLarge, PathTo(name), absl::StrCat(name, " is larger than ", max));
}

void FieldReader::Check(const absl::Status& status) {
  if (status.ok() || !ok()) return;
  status_ = MakeErrorAt(ReasonOf(status), PathTo(PathOf(status)), status.message());
}

const json::Value* FieldReader::Find(absl::string_view name, json::Kind kind) {
  if (!ok()) return nullptr;
  const json::Value* value = object_.Find(name);
  if (value == nullptr || value->kind() == kind) return value;
  Fail(name, absl::StrCat(name, " must be of type ", json::KindName(kind)));
  return nullptr;
}

bool FieldReader::CheckSize(absl::string_view name, absl::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) FailTooLarge(name, bytes_max);
  return ok();
}

bool FieldReader::CheckText(absl::string_view name, absl::string_view text, size_t bytes_max) {
  CheckSize(name, text, bytes_max);
  // Databases and logs end a text there.
  if (absl::StrContains(text, '\0')) Fail(name, absl::StrCat(name, " must not contain U+0000"));
  return ok();
}

std::string FieldReader::Text(absl::string_view name, size_t bytes_max) {
  const json::Value* value = Find(name, json::Kind::kString);
  if (value == nullptr || !CheckText(name, value->string(), bytes_max)) return "";
  return std::string(value->string());
}

std::string FieldReader::RequiredText(absl::string_view name, size_t bytes_max) {
  std::string text = Text(name, bytes_max);
  if (text.empty()) Fail(name, absl::StrCat(name, " is required"));
  return text;
}

bool FieldReader::Bool(absl::string_view name) {
  const json::Value* value = Find(name, json::Kind::kBool);
  return value != nullptr && value->boolean();
}

std::optional<int64_t> FieldReader::Int(absl::string_view name, int64_t min, int64_t max) {
  const json::Value* value = Find(name, json::Kind::kNumber);
  if (value == nullptr) return std::nullopt;
  const auto number = value->AsInt64();
  if (number.ok() && *number >= min && *number <= max) return *number;
  Fail(name, absl::StrCat(name, " must be an integer from ", min, " to ", max));
  return std::nullopt;
}

int64_t FieldReader::Limit(absl::string_view name, int64_t max) {
  const json::Value* value = Find(name, json::Kind::kNumber);
  if (value == nullptr) return 0;
  const auto number = value->AsInt64();
  if (number.ok() && *number >= 1) return std::min(*number, max);
  Fail(name, absl::StrCat(name, " must be an integer of at least 1"));
  return 0;
}

int64_t FieldReader::TimeMs(absl::string_view name) {
  const json::Value* value = Find(name, json::Kind::kString);
  if (value == nullptr) return 0;
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, value->string(), &time, &ignored) ||
      time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    Fail(name, absl::StrCat(name, " must be a time as in RFC 3339"));
    return 0;
  }
  return absl::ToUnixMillis(time);
}

int FieldReader::Choice(absl::string_view name,
                        std::initializer_list<std::pair<absl::string_view, int>> choices,
                        int fallback) {
  const json::Value* value = Find(name, json::Kind::kString);
  if (value == nullptr) return fallback;
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (value->string() == text) return choice;
    absl::StrAppend(&known, known.empty() ? "" : ", ", text);
  }
  Fail(name, absl::StrCat(name, " must be one of ", known));
  return fallback;
}

std::vector<std::string> FieldReader::Texts(absl::string_view name, size_t count_max,
                                            size_t bytes_max) {
  return TextsThat(&FieldReader::CheckText, name, count_max, bytes_max);
}

std::vector<std::string> FieldReader::Pointers(absl::string_view name, size_t count_max,
                                               size_t bytes_max) {
  return TextsThat(&FieldReader::CheckSize, name, count_max, bytes_max);
}

std::vector<std::string> FieldReader::TextsThat(TextCheck check, absl::string_view name,
                                                size_t count_max, size_t bytes_max) {
  std::vector<std::string> texts;
  const json::Value* value = Find(name, json::Kind::kArray);
  if (value == nullptr) return texts;
  if (value->array().size() > count_max) {
    FailTooLarge(name, count_max);
    return texts;
  }
  for (const json::Value& element : value->array()) {
    if (!element.is_string()) {
      Fail(name, absl::StrCat(name, " must hold strings only"));
    } else if ((this->*check)(name, element.string(), bytes_max)) {
      texts.emplace_back(element.string());
    }
  }
  return texts;
}

const json::Value* FieldReader::Object(absl::string_view name) {
  return Find(name, json::Kind::kObject);
}

const json::Value* FieldReader::RequiredArray(absl::string_view name, size_t count_max) {
  const json::Value* value = Find(name, json::Kind::kArray);
  if (value == nullptr) {
    Fail(name, absl::StrCat(name, " is required"));
    return nullptr;
  }
  if (value->array().size() <= count_max) return value;
  FailTooLarge(name, count_max);
  return nullptr;
}

const json::Value* FieldReader::RequiredValue(absl::string_view name) {
  if (!ok()) return nullptr;
  const json::Value* value = object_.Find(name);
  if (value == nullptr) Fail(name, absl::StrCat(name, " is required"));
  return value;
}

}  // namespace bdcsync::gateway
