// Parameters of a PostgreSQL statement in binary form, so that bytes travel as they are. The
// statement must name each type ($1::int8, $2::bytea[]): binary values are not converted. Never
// NULL: write NULLIF in the statement. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace bdcsync::sql {

// A one-dimensional array; add elements of its own type only.
class PostgresArray {
 public:
  // The numbers are the types' OIDs, fixed by PostgreSQL.
  enum Type : uint32_t {
    kBool = 16,
    kBytes = 17,
    kInt64 = 20,
    kInt16 = 21,
    kInt32 = 23,
    kText = 25,
    kUuid = 2950,
  };

  explicit PostgresArray(Type type);
  void Reserve(std::size_t elements, std::size_t element_bytes);
  void AddBool(bool value);
  void AddInt16(int16_t value);
  void AddInt32(int32_t value);
  void AddInt64(int64_t value);
  void AddBytes(absl::string_view value);  // Also text (valid UTF-8, no NUL) and uuid (16 bytes).
  uint32_t size() const { return size_; }

  // The wire form; the array is empty afterwards.
  std::string Take() &&;
  // The wire form of the only element; wants one.
  std::string TakeOnly() &&;

 private:
  std::string wire_;
  uint32_t size_ = 0;
};

class PostgresParams {
 public:
  PostgresParams& AddBool(bool value);
  PostgresParams& AddInt16(int16_t value);
  PostgresParams& AddInt32(int32_t value);
  PostgresParams& AddInt64(int64_t value);
  PostgresParams& AddBytes(absl::string_view value);  // Also text and uuid.
  PostgresParams& Add(PostgresArray&& array);
  PostgresParams& AddOnly(PostgresArray&& array);  // Its only element, as a value.

  // Puts another value in the place of one that is there, counted from 0.
  void SetBytes(std::size_t place, absl::string_view value) {
    wire_[place].assign(value.data(), value.size());
  }

  const std::vector<std::string>& wire() const { return wire_; }

 private:
  std::vector<std::string> wire_;
};

}  // namespace bdcsync::sql
