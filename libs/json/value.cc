#include "libs/json/value.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/text_scan.h"

namespace bdcsync::json {

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
  set_container(new ArrayContainer(std::move(elements)), Kind::kArray);
}

Value::Value(Object object) {
  set_container(new ObjectContainer(std::move(object)), Kind::kObject);
}

void Value::set_container(Container* container, Kind kind) {
  set_pointer(container);
  rep_.kind = kind;
}

Value::Value(const Value& other) {
  if (!other.OwnsHeap()) {
    rep_ = other.rep_;
  } else if (other.is_array()) {
    set_container(new ArrayContainer(Array(other.array())), Kind::kArray);
  } else if (other.is_object()) {
    set_container(new ObjectContainer(Object(other.object())), Kind::kObject);
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
      if (container().DropOwner()) delete static_cast<ArrayContainer*>(&container());
      return;
    case Kind::kObject:
      if (container().DropOwner()) delete static_cast<ObjectContainer*>(&container());
      return;
    default:
      ::operator delete(pointer());
  }
}

Value Value::Share() const {
  if (!is_array() && !is_object()) return *this;
  container().owners.fetch_add(1, std::memory_order_relaxed);
  Value shared;
  shared.rep_ = rep_;
  return shared;
}

void Value::Unshare() {
  const Value& shared = *this;  // Read without a wish to write.
  if (is_array()) {
    Array elements;
    elements.reserve(shared.array().size());
    for (const Value& element : shared.array()) elements.push_back(element.Share());
    *this = Value(std::move(elements));
    return;
  }
  Object members;
  members.Reserve(shared.object().size());
  for (const Member& member : shared.object()) members.AddNew(member.key, member.value.Share());
  *this = Value(std::move(members));
}

Value ContainerName::Share() const {
  Value named;
  named.rep_ = rep_;
  Value shared = named.Share();
  named.rep_ = {};  // It owns nothing.
  return shared;
}

void Value::WrongKind(Kind wanted) const {
  std::fprintf(stderr, "json::Value: a %s was used as %s\n", KindName(rep_.kind).data(),
               KindName(wanted).data());
  std::abort();
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
    CopyShort(text.data(), text.size(), rep_.bytes);
  } else {
    auto* block = static_cast<TextBlock*>(::operator new(sizeof(TextBlock) + text.size()));
    block->size = text.size();
    std::memcpy(block->bytes(), text.data(), text.size());
    set_pointer(block);
  }
  rep_.kind = kind;
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
