// What an array or object of a value is in memory, and how it is reached. Include value.h, not this
// file.
#pragma once

#include <atomic>
#include <cstdint>

#include "libs/json/value.h"

namespace bdcsync::json {

struct Value::Container {
  std::atomic<uint32_t> owners{1};

  // True when that was the last one. Alone, it costs no more than a look.
  bool DropOwner() {
    return owners.load(std::memory_order_acquire) == 1 ||
           owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
};

struct Value::ArrayContainer : Container {
  explicit ArrayContainer(Array&& array) : elements(std::move(array)) {}

  Array elements;
};

struct Value::ObjectContainer : Container {
  explicit ObjectContainer(Object&& object) : members(std::move(object)) {}

  Object members;
};

inline Value::Container& Value::container() const { return *static_cast<Container*>(pointer()); }

inline void Value::Own() {
  if (container().owners.load(std::memory_order_acquire) != 1) Unshare();
}

inline const Array& Value::array() const {
  CheckKind(Kind::kArray);
  return static_cast<const ArrayContainer&>(container()).elements;
}

inline Array& Value::array() {
  CheckKind(Kind::kArray);
  Own();
  return static_cast<ArrayContainer&>(container()).elements;
}

inline const Object& Value::object() const {
  CheckKind(Kind::kObject);
  return static_cast<const ObjectContainer&>(container()).members;
}

inline Object& Value::object() {
  CheckKind(Kind::kObject);
  Own();
  return static_cast<ObjectContainer&>(container()).members;
}

}  // namespace bdcsync::json
