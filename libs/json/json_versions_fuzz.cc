// A text and another version of it, which is the first with a part replaced: the version must be
// read as if there were no other, and writing to one must leave the other. The input: where the
// part begins and ends (two bytes each), how long its replacement is (one byte), that, the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "libs/json/serialize.h"
#include "libs/json/version_reader.h"

namespace {

namespace json = bdcsync::json;

void Require(bool holds) {
  if (!holds) std::abort();
}

void WriteEverywhere(json::Value& value) {
  if (value.is_array()) {
    for (json::Value& element : value.array()) WriteEverywhere(element);
    value.Append("written");
  } else if (value.is_object()) {
    for (size_t i = 0; i < value.object().size(); ++i) WriteEverywhere(value.object().value_at(i));
    value.Set("written", true);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 5;
  if (size < kHead || size < kHead + data[4]) return 0;
  const auto number = [data](size_t at) {
    return static_cast<size_t>(data[at] | data[at + 1] << 8);
  };
  const char* const bytes = reinterpret_cast<const char*>(data) + kHead;
  const std::string replacement(bytes, data[4]);
  const std::string first(bytes + data[4], size - kHead - data[4]);
  const size_t begin = std::min(number(0), first.size());
  std::string second = first;
  second.replace(begin, std::min(number(2), first.size() - begin), replacement);
  json::VersionReader reader;
  absl::StatusOr<json::Value> a = reader.Read(first);
  absl::StatusOr<json::Value> b = reader.Read(second);
  const absl::StatusOr<json::Value> expected = json::Parse(second);
  Require(b.status() == expected.status());
  if (!b.ok()) return 0;
  Require(json::Identical(*b, *expected));
  if (!a.ok()) return 0;
  const std::string text = json::Serialize(*a);
  WriteEverywhere(*b);
  Require(json::Serialize(*a) == text);
  return 0;
}
