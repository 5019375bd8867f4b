// Equality, hash and size of values.
#include <algorithm>

#include "absl/hash/hash.h"
#include "libs/json/decimal.h"
#include "libs/json/serialize.h"
#include "libs/json/text_scan.h"
#include "libs/json/value.h"

namespace bdcsync::json {
namespace {

bool SameText(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && SameBytes(a.data(), b.data(), a.size());
}

template <bool kDigitsCount>
bool Same(const Value& a, const Value& b);

template <bool kDigitsCount>
bool SameObjects(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const Member& member = a.at(i);
    // Mostly the members come in the same order.
    const Value* other = SameText(b.at(i).key, member.key) ? &b.at(i).value : b.Find(member.key);
    if (other == nullptr || !Same<kDigitsCount>(member.value, *other)) return false;
  }
  return true;
}

template <bool kDigitsCount>
bool SameArrays(const Array& a, const Array& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!Same<kDigitsCount>(a[i], b[i])) return false;
  }
  return true;
}

template <bool kDigitsCount>
bool Same(const Value& a, const Value& b) {
  if (a.SameWords(b)) return true;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return a.boolean() == b.boolean();
    case Kind::kNumber:
      return kDigitsCount ? a.number_text() == b.number_text()
                          : SameNumber(a.number_text(), b.number_text());
    case Kind::kString:
      return SameText(a.string(), b.string());
    case Kind::kArray:
      return SameArrays<kDigitsCount>(a.array(), b.array());
    case Kind::kObject:
      return SameObjects<kDigitsCount>(a.object(), b.object());
  }
  return false;
}

template <bool kDigitsCount>
uint64_t Hash(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return absl::HashOf(value.kind());
    case Kind::kBool:
      return absl::HashOf(value.kind(), value.boolean());
    case Kind::kNumber:
      return kDigitsCount ? absl::HashOf(value.kind(), value.number_text())
                          : HashOf(ReadDecimal(value.number_text()));
    case Kind::kString:
      return absl::HashOf(value.kind(), value.string());
    case Kind::kArray: {
      uint64_t hash = absl::HashOf(value.kind(), value.array().size());
      for (const Value& element : value.array())
        hash = absl::HashOf(hash, Hash<kDigitsCount>(element));
      return hash;
    }
    case Kind::kObject: {
      uint64_t sum = 0;  // Whatever the order.
      for (const Member& member : value.object()) {
        sum += absl::HashOf(absl::string_view(member.key), Hash<kDigitsCount>(member.value));
      }
      return absl::HashOf(value.kind(), sum);
    }
  }
  return 0;
}

// Adds the size of `value` to `bytes` and returns its depth.
size_t AddExtent(const Value& value, size_t& bytes) {
  size_t depth = 0;
  switch (value.kind()) {
    case Kind::kNull:
      bytes += 4;
      return 0;
    case Kind::kBool:
      bytes += value.boolean() ? 4 : 5;
      return 0;
    case Kind::kNumber:
      bytes += value.number_text().size();
      return 0;
    case Kind::kString:
      bytes += QuotedSize(value.string());
      return 0;
    case Kind::kArray:
      bytes += 2 + (value.array().empty() ? 0 : value.array().size() - 1);
      for (const Value& element : value.array()) {
        depth = std::max(depth, AddExtent(element, bytes));
      }
      return depth + 1;
    case Kind::kObject:
      bytes += 2 + value.object().size() + (value.object().empty() ? 0 : value.object().size() - 1);
      for (const Member& member : value.object()) {
        bytes += QuotedSize(member.key);
        depth = std::max(depth, AddExtent(member.value, bytes));
      }
      return depth + 1;
  }
  return depth;
}

}  // namespace

bool operator==(const Value& a, const Value& b) { return Same<false>(a, b); }

bool Identical(const Value& a, const Value& b) { return Same<true>(a, b); }

uint64_t HashOf(const Value& value) { return Hash<false>(value); }

uint64_t HashOfIdentical(const Value& value) { return Hash<true>(value); }

Extent Measure(const Value& value) {
  Extent extent;
  extent.depth = AddExtent(value, extent.bytes);
  return extent;
}

}  // namespace bdcsync::json
