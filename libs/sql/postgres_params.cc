#include "libs/sql/postgres_params.h"

namespace bdcsync::sql {
namespace {

constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kSizeOffset = 12;

// Network order, as the server reads it.
template <typename T>
void WriteBigEndian(T value, char* bytes) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <typename T>
void AppendBigEndian(std::string& out, T value) {
  char bytes[sizeof(T)];
  WriteBigEndian(value, bytes);
  out.append(bytes, sizeof(bytes));
}

template <typename T>
void AppendElement(std::string& out, T value) {
  char bytes[sizeof(uint32_t) + sizeof(T)];
  WriteBigEndian(static_cast<uint32_t>(sizeof(T)), bytes);
  WriteBigEndian(value, bytes + sizeof(uint32_t));
  out.append(bytes, sizeof(bytes));
}

}  // namespace

PostgresArray::PostgresArray(Type type) {
  AppendBigEndian<uint32_t>(wire_, 1);  // Dimensions.
  AppendBigEndian<uint32_t>(wire_, 0);  // Flags: no NULL.
  AppendBigEndian<uint32_t>(wire_, type);
  AppendBigEndian<uint32_t>(wire_, 0);  // Size, written by Take.
  AppendBigEndian<uint32_t>(wire_, 1);  // Lower bound.
}

void PostgresArray::Reserve(std::size_t elements, std::size_t element_bytes) {
  wire_.reserve(kHeaderBytes + elements * (element_bytes + sizeof(uint32_t)));
}

void PostgresArray::AddBool(bool value) {
  AppendElement<uint8_t>(wire_, value ? 1 : 0);
  ++size_;
}
void PostgresArray::AddInt16(int16_t value) {
  AppendElement<uint16_t>(wire_, static_cast<uint16_t>(value));
  ++size_;
}
void PostgresArray::AddInt32(int32_t value) {
  AppendElement<uint32_t>(wire_, static_cast<uint32_t>(value));
  ++size_;
}
void PostgresArray::AddInt64(int64_t value) {
  AppendElement<uint64_t>(wire_, static_cast<uint64_t>(value));
  ++size_;
}
void PostgresArray::AddBytes(absl::string_view value) {
  AppendBigEndian<uint32_t>(wire_, static_cast<uint32_t>(value.size()));
  wire_.append(value.data(), value.size());
  ++size_;
}

std::string PostgresArray::Take() && {
  std::string size;
  AppendBigEndian<uint32_t>(size, size_);
  wire_.replace(kSizeOffset, size.size(), size);
  return std::move(wire_);
}

std::string PostgresArray::TakeOnly() && {
  wire_.erase(0, kHeaderBytes + sizeof(uint32_t));  // Its own size is not part of a value.
  return std::move(wire_);
}

PostgresParams& PostgresParams::AddBool(bool value) {
  wire_.emplace_back(1, value ? '\1' : '\0');
  return *this;
}
PostgresParams& PostgresParams::AddInt16(int16_t value) {
  AppendBigEndian<uint16_t>(wire_.emplace_back(), static_cast<uint16_t>(value));
  return *this;
}
PostgresParams& PostgresParams::AddInt32(int32_t value) {
  AppendBigEndian<uint32_t>(wire_.emplace_back(), static_cast<uint32_t>(value));
  return *this;
}
PostgresParams& PostgresParams::AddInt64(int64_t value) {
  AppendBigEndian<uint64_t>(wire_.emplace_back(), static_cast<uint64_t>(value));
  return *this;
}
PostgresParams& PostgresParams::AddBytes(absl::string_view value) {
  wire_.emplace_back(value.data(), value.size());
  return *this;
}
PostgresParams& PostgresParams::Add(PostgresArray&& array) {
  wire_.push_back(std::move(array).Take());
  return *this;
}

PostgresParams& PostgresParams::AddOnly(PostgresArray&& array) {
  wire_.push_back(std::move(array).TakeOnly());
  return *this;
}

}  // namespace bdcsync::sql
