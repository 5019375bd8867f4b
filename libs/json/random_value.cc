#include "libs/json/random_value.h"

#include <string>
#include <utility>

namespace bdcsync::json {

Value RandomValue::Leaf() {
  static constexpr const char* kNumbers[] = {
      "0", "-0", "1", "1.0", "2", "1.10", "1e400", "-7e-9", "9007199254740993"};
  static constexpr const char* kStrings[] = {
      "", "a", "b", "a\"b\\\n\x01", "\xf0\x9f\x98\x80", "long enough to lie on the heap"};
  switch (Below(6)) {
    case 0:
      return nullptr;
    case 1:
      return Below(2) == 0;
    case 2:
      return kStrings[Below(std::size(kStrings))];
    case 3:
      return static_cast<int64_t>(Below(1000));
    default:
      return Value(NumberText{kNumbers[Below(std::size(kNumbers))]});
  }
}

std::string RandomValue::Key() {
  static constexpr const char* kKeys[] = {"a", "b", "c", "d", "e", "", "~", "/", "a/b~1", "0"};
  return kKeys[Below(std::size(kKeys))];
}

Value RandomValue::Make(size_t depth_max, size_t width_max) {
  const size_t choice = depth_max == 0 ? 9 : Below(10);
  if (choice < 4) {
    Object object;
    for (size_t i = Below(width_max + 1); i > 0; --i) {
      object.Set(Below(50) == 0 ? "key" + std::to_string(i) : Key(),
                 Make(depth_max - 1, width_max));
    }
    return object;
  }
  if (choice < 7) {
    Array array;
    for (size_t i = Below(width_max + 1); i > 0; --i) {
      array.push_back(Make(depth_max - 1, width_max));
    }
    return array;
  }
  return Leaf();
}

Value RandomValue::Edit(const Value& value, size_t edits, size_t depth_max) {
  Value edited = value;
  EditInPlace(edited, edits, depth_max);
  return edited;
}

void RandomValue::EditInPlace(Value& value, size_t edits, size_t depth_max) {
  for (size_t i = 0; i < edits; ++i) EditOnce(value, depth_max);
}

void RandomValue::EditOnce(Value& value, size_t depth_max) {
  if (value.is_object() && depth_max > 0 && Below(12) > 0) {
    EditObject(value.object(), depth_max);
  } else if (value.is_array() && depth_max > 0 && Below(12) > 0) {
    EditArray(value.array(), depth_max);
  } else {
    value = Make(depth_max);
  }
}

void RandomValue::EditObject(Object& object, size_t depth_max) {
  const size_t choice = Below(4);
  if (choice == 0 || object.empty()) {
    object.Set(Key(), Make(depth_max - 1));
  } else if (choice == 1) {
    object.Extract(Below(object.size()));
  } else {
    EditOnce(object.value_at(Below(object.size())), depth_max - 1);
  }
}

void RandomValue::EditArray(Array& array, size_t depth_max) {
  const size_t choice = Below(5);
  const auto at = array.begin() + static_cast<std::ptrdiff_t>(Below(array.size() + 1));
  if (choice == 0 || array.empty()) {
    array.insert(at, Make(depth_max - 1));
  } else if (at == array.end()) {
    array.push_back(Make(depth_max - 1));
  } else if (choice == 1) {
    array.erase(at);
  } else if (choice == 2) {
    std::swap(array.front(), *at);
  } else {
    EditOnce(*at, depth_max - 1);
  }
}

std::vector<Value> SmallerThan(const Value& value) {
  std::vector<Value> smaller;
  if (!value.is_null()) smaller.emplace_back();
  if (value.is_array()) {
    const Array& array = value.array();
    for (size_t i = 0; i < array.size(); ++i) {
      Value without = value;
      without.array().erase(without.array().begin() + static_cast<std::ptrdiff_t>(i));
      smaller.push_back(std::move(without));
      for (Value& part : SmallerThan(array[i])) {
        Value with = value;
        with.array()[i] = std::move(part);
        smaller.push_back(std::move(with));
      }
    }
  } else if (value.is_object()) {
    for (size_t i = 0; i < value.object().size(); ++i) {
      Value without = value;
      without.object().Extract(i);
      smaller.push_back(std::move(without));
      for (Value& part : SmallerThan(value.object().at(i).value)) {
        Value with = value;
        with.object().value_at(i) = std::move(part);
        smaller.push_back(std::move(with));
      }
    }
  }
  return smaller;
}

}  // namespace bdcsync::json
