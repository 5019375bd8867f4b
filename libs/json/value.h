// A JSON value that keeps what it was given: numbers hold their digits (2^53+1, 1.10 and 1e400
// survive byte for byte), strings are UTF-8, objects keep the order of insertion. 16 bytes; short
// texts live inside, so moves are two words and small numbers and strings allocate nothing. Values
// are plain: copies are deep, reads from several threads are safe, writes are not. Only versions of
// a document that were read together (parse_versions.h) share containers; what writes to a shared
// one, or gets a reference to write by, takes a copy of it first. Functions over values recurse;
// kDepthCeiling, which parser and patch enforce, keeps that within any thread's stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::json {

class Object;
class Value;
using Array = std::vector<Value>;

// No limit on depth may be set higher than this.
inline constexpr size_t kDepthCeiling = 512;

// The parser, too, refuses numbers whose exponent does not fit 32 bits.
inline constexpr int64_t kExponentMax = 1'000'000'000;

enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
// "null", "boolean", "number", "string", "array", "object".
absl::string_view KindName(Kind kind);

// The text of a number, known to be one (the parser's).
struct NumberText {
  absl::string_view text;
};

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool boolean);
  template <typename T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
      Value(T integer) {
    if constexpr (std::is_signed_v<T>) {
      SetInteger(static_cast<int64_t>(integer));
    } else {
      SetUnsigned(static_cast<uint64_t>(integer));
    }
  }
  Value(absl::string_view utf8);
  Value(const char* utf8) : Value(absl::string_view(utf8)) {}
  Value(const std::string& utf8) : Value(absl::string_view(utf8)) {}
  explicit Value(NumberText number) { SetText(Kind::kNumber, number.text); }
  Value(Array elements);
  Value(Object object);

  Value(const Value& other);
  Value(Value&& other) noexcept : rep_(other.rep_) { other.rep_ = Rep{}; }
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value() {
    if (OwnsHeap()) Release();
  }

  // A number from its text; nothing when `text` is not a number by the JSON grammar, or its
  // exponent is beyond +-kExponentMax.
  static std::optional<Value> FromNumberText(absl::string_view text);
  // The shortest text that reads back as `number`; nothing when it is infinite or not a number.
  static std::optional<Value> FromDouble(double number);

  Kind kind() const { return rep_.kind; }
  bool is_null() const { return rep_.kind == Kind::kNull; }
  bool is_bool() const { return rep_.kind == Kind::kBool; }
  bool is_number() const { return rep_.kind == Kind::kNumber; }
  bool is_string() const { return rep_.kind == Kind::kString; }
  bool is_array() const { return rep_.kind == Kind::kArray; }
  bool is_object() const { return rep_.kind == Kind::kObject; }

  // Direct access. The value must be of that kind; a wrong kind is our bug and ends the process.
  // What was got from a shared container is valid until it is asked for to be written to.
  bool boolean() const {
    CheckKind(Kind::kBool);
    return rep_.bytes[0] != 0;
  }
  absl::string_view number_text() const {
    CheckKind(Kind::kNumber);
    return text();
  }
  // Valid until the value is changed, moved or destroyed.
  absl::string_view string() const {
    CheckKind(Kind::kString);
    return text();
  }
  const Array& array() const;
  Array& array();
  const Object& object() const;
  Object& object();

  // The same two words, so identical: the same short text, or one container that both share. False
  // says nothing.
  bool SameWords(const Value& other) const {
    return std::memcmp(&rep_, &other.rep_, sizeof(Rep)) == 0;
  }

  // Checked access, for input from outside. A wrong kind (or a number out of range or with a
  // fraction) is INVALID_ARGUMENT, reason kInvalidArgument, and the message says what was found.
  absl::StatusOr<bool> AsBool() const;
  absl::StatusOr<int64_t> AsInt64() const;  // 10, 1.0 and 1e3 are integers; 0.5 is not.
  absl::StatusOr<double> AsDouble() const;  // The nearest double; 1e400 is refused.
  absl::StatusOr<std::string> AsString() const;

  // The member `key`; nullptr when there is none or this is not an object.
  const Value* Find(absl::string_view key) const;
  Value* Find(absl::string_view key);
  // Sets a member of an object; null becomes an object first. Returns the member's value.
  Value& Set(absl::string_view key, Value value);
  // Adds an element to an array; null becomes an array first.
  Value& Append(Value element);

  // Puts `element` before array[position] and takes array[position] out: what vector::insert and
  // erase do, but the elements behind move as one block.
  static void InsertInto(Array& array, size_t position, Value element);
  static Value ExtractFrom(Array& array, size_t position);

  // Equal as JSON: numbers by exact decimal value (1 == 1.0 == 10e-1, no rounding), objects
  // irrespective of member order, null is only equal to null.
  friend bool operator==(const Value& a, const Value& b);

 private:
  friend class ContainerName;
  struct Container;
  struct ArrayContainer;
  struct ObjectContainer;
  static constexpr uint8_t kOnHeap = 0xff;
  static constexpr size_t kInlineBytes = 14;

  // A text too long to lie inside a value: its size, then its bytes.
  struct TextBlock {
    size_t size;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  void SetInteger(int64_t integer);
  void SetUnsigned(uint64_t integer);
  void SetText(Kind kind, absl::string_view text);
  absl::string_view text() const {
    if (!OwnsHeap()) return absl::string_view(rep_.bytes, rep_.inline_size);
    auto* block = static_cast<TextBlock*>(pointer());
    return absl::string_view(block->bytes(), block->size);
  }
  void CheckKind(Kind wanted) const {
    if (rep_.kind != wanted) WrongKind(wanted);
  }
  [[noreturn]] void WrongKind(Kind wanted) const;
  // One more owner of the same container; of a text or what lies inside, a copy.
  Value Share() const;
  Container& container() const;
  void set_container(Container* container, Kind kind);
  // Makes this the only owner of its container. What that holds may stay shared.
  void Own();
  void Unshare();
  bool OwnsHeap() const { return rep_.inline_size == kOnHeap; }
  void Release();  // Frees what the heap holds; the value is then to be overwritten.
  void* pointer() const {
    void* pointer;
    std::memcpy(&pointer, rep_.bytes + kPointerOffset, sizeof(pointer));
    return pointer;
  }
  void set_pointer(void* pointer) {
    rep_.inline_size = kOnHeap;
    std::memcpy(rep_.bytes + kPointerOffset, &pointer, sizeof(pointer));
  }

  // All of a value: moving it is copying this and leaving null behind.
  struct alignas(8) Rep {
    Kind kind = Kind::kNull;
    uint8_t inline_size = 0;  // Of the text in `bytes`, or kOnHeap.
    char bytes[kInlineBytes] = {};
  };
  static constexpr size_t kPointerOffset = 6;  // The second word of the Rep.

  Rep rep_;
};
static_assert(sizeof(Value) == 16);

// A container of a value by name: valid while that value lives and is not written to.
class ContainerName {
 public:
  ContainerName() = default;  // Of none.
  explicit ContainerName(const Value& container) : rep_(container.rep_) {}

  // A value that shares the container.
  Value Share() const;

 private:
  Value::Rep rep_;
};

// Equal, and every number has the same digits too: what a patch must restore byte for byte.
bool Identical(const Value& a, const Value& b);
// Equal values have equal hashes. Differs from process to process: never store it.
uint64_t HashOf(const Value& value);
// The same for Identical: 1 and 1.0 are not, and have different hashes.
uint64_t HashOfIdentical(const Value& value);
// The same number by exact decimal value. Work is linear in the texts, whatever the exponents.
bool SameNumber(absl::string_view a, absl::string_view b);

// How large a value is: bytes of its compact text and the nesting of its containers (a scalar is 0,
// [] is 1). One walk.
struct Extent {
  size_t bytes = 0;
  size_t depth = 0;
};
Extent Measure(const Value& value);

}  // namespace bdcsync::json

#include "libs/json/object.h"
