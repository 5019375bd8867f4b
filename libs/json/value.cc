#include "libs/json/value.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"

namespace bdcsync::json {
namespace {

// A text too long to lie inside a value: its size, then its bytes.
struct TextBlock {
  size_t size;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

TextBlock* NewTextBlock(absl::string_view text) {
  auto* block = static_cast<TextBlock*>(::operator new(sizeof(TextBlock) + text.size()));
  block->size = text.size();
  std::memcpy(block->bytes(), text.data(), text.size());
  return block;
}

[[noreturn]] void WrongKind(Kind wanted, Kind found) {
  std::fprintf(stderr, "json::Value: a %s was used as %s\n", KindName(found).data(),
               KindName(wanted).data());
  std::abort();
}

void CheckKind(Kind wanted, Kind found) {
  if (wanted != found) WrongKind(wanted, found);
}

}  // namespace

absl::string_view KindName(Kind kind) {
  constexpr absl::string_view kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<size_t>(kind)];
}

Value::Value(bool boolean) {
  rep_.kind = Kind::kBool;
  rep_.bytes[0] = boolean ? 1 : 0;
}

Value::Value(absl::string_view utf8) { SetText(Kind::kString, utf8); }

Value::Value(Array elements) {
  rep_.kind = Kind::kArray;
  set_pointer(new Array(std::move(elements)));
}

Value::Value(Object object) {
  rep_.kind = Kind::kObject;
  set_pointer(new Object(std::move(object)));
}

Value::Value(const Value& other) {
  if (!other.OwnsHeap()) {
    rep_ = other.rep_;
  } else if (other.rep_.kind == Kind::kArray) {
    set_pointer(new Array(other.array()));
    rep_.kind = Kind::kArray;
  } else if (other.rep_.kind == Kind::kObject) {
    set_pointer(new Object(other.object()));
    rep_.kind = Kind::kObject;
  } else {
    SetText(other.rep_.kind, other.text());
  }
}

Value& Value::operator=(const Value& other) {
  if (this != &other) *this = Value(other);  // `other` may lie inside this value.
  return *this;
}

Value& Value::operator=(Value&& other) noexcept {
  if (this == &other) return *this;
  const Rep moved = std::exchange(other.rep_, Rep{});  // `other` may lie inside this value.
  if (OwnsHeap()) Release();
  rep_ = moved;
  return *this;
}

void Value::Release() {
  switch (rep_.kind) {
    case Kind::kArray:
      delete static_cast<Array*>(pointer());
      return;
    case Kind::kObject:
      delete static_cast<Object*>(pointer());
      return;
    default:
      ::operator delete(pointer());
  }
}

Value Value::UncheckedNumber(absl::string_view text) {
  Value number;
  number.SetText(Kind::kNumber, text);
  return number;
}

void Value::SetInteger(int64_t integer) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), integer).ptr;
  SetText(Kind::kNumber, absl::string_view(text, end - text));
}

void Value::SetUnsigned(uint64_t integer) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), integer).ptr;
  SetText(Kind::kNumber, absl::string_view(text, end - text));
}

void Value::SetText(Kind kind, absl::string_view text) {
  if (text.size() <= kInlineBytes) {
    rep_.inline_size = static_cast<uint8_t>(text.size());
    if (!text.empty()) std::memcpy(rep_.bytes, text.data(), text.size());
  } else {
    set_pointer(NewTextBlock(text));
  }
  rep_.kind = kind;
}

absl::string_view Value::text() const {
  if (!OwnsHeap()) return absl::string_view(rep_.bytes, rep_.inline_size);
  auto* block = static_cast<TextBlock*>(pointer());
  return absl::string_view(block->bytes(), block->size);
}

bool Value::boolean() const {
  CheckKind(Kind::kBool, rep_.kind);
  return rep_.bytes[0] != 0;
}

absl::string_view Value::number_text() const {
  CheckKind(Kind::kNumber, rep_.kind);
  return text();
}

absl::string_view Value::string() const {
  CheckKind(Kind::kString, rep_.kind);
  return text();
}

const Array& Value::array() const {
  CheckKind(Kind::kArray, rep_.kind);
  return *static_cast<const Array*>(pointer());
}

Array& Value::array() {
  CheckKind(Kind::kArray, rep_.kind);
  return *static_cast<Array*>(pointer());
}

const Object& Value::object() const {
  CheckKind(Kind::kObject, rep_.kind);
  return *static_cast<const Object*>(pointer());
}

Object& Value::object() {
  CheckKind(Kind::kObject, rep_.kind);
  return *static_cast<Object*>(pointer());
}

absl::StatusOr<bool> Value::AsBool() const {
  if (is_bool()) return boolean();
  return MakeError(Reason::kInvalidArgument,
                   absl::StrCat("want a boolean, not ", KindName(rep_.kind)));
}

absl::StatusOr<std::string> Value::AsString() const {
  if (is_string()) return std::string(text());
  return MakeError(Reason::kInvalidArgument,
                   absl::StrCat("want a string, not ", KindName(rep_.kind)));
}

const Value* Value::Find(absl::string_view key) const {
  return is_object() ? object().Find(key) : nullptr;
}

Value* Value::Find(absl::string_view key) { return is_object() ? object().Find(key) : nullptr; }

Value& Value::Set(absl::string_view key, Value value) {
  if (is_null()) *this = Value(Object());
  return object().Set(key, std::move(value));
}

Value& Value::Append(Value element) {
  if (is_null()) *this = Value(Array());
  return array().emplace_back(std::move(element));
}

void Value::InsertInto(Array& array, size_t position, Value element) {
  static_assert(sizeof(Rep) == sizeof(Value) && std::is_trivially_copyable_v<Rep>);
  array.emplace_back();
  Rep* const place = &array[position].rep_;
  std::memmove(place + 1, place, (array.size() - 1 - position) * sizeof(Rep));
  *place = std::exchange(element.rep_, Rep{});
}

Value Value::ExtractFrom(Array& array, size_t position) {
  Value element = std::move(array[position]);
  Rep* const place = &array[position].rep_;
  std::memmove(place, place + 1, (array.size() - 1 - position) * sizeof(Rep));
  array.back().rep_ = Rep{};
  array.pop_back();
  return element;
}

}  // namespace bdcsync::json
