// Values as text: parsing, formatting and describing what is allowed.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/config/schema.h"
#include "libs/config/secret_mask.h"

namespace bdcsync::config {
namespace {

struct Unit {
  absl::string_view suffix;
  int64_t bytes;
};
constexpr std::array kByteUnits = {Unit{"TiB", int64_t{1} << 40},
                                   Unit{"GiB", int64_t{1} << 30},
                                   Unit{"MiB", int64_t{1} << 20},
                                   Unit{"KiB", int64_t{1} << 10},
                                   Unit{"TB", 1000000000000},
                                   Unit{"GB", 1000000000},
                                   Unit{"MB", 1000000},
                                   Unit{"kB", 1000},
                                   Unit{"KB", 1000},
                                   Unit{"B", 1},
                                   Unit{"", 1}};

constexpr absl::Duration kLongest = absl::Hours(24 * 365);
constexpr size_t kShownBytesMax = 100;  // Of a wrong value.

std::string Shown(absl::string_view text) {
  if (text.size() <= kShownBytesMax) return absl::StrCat("'", text, "'");
  size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat("'", text.substr(0, end), "…'");
}

// "'x' is not <what>", without the text of a secret.
absl::Status Wrong(const Key& key, absl::string_view text, absl::string_view what) {
  const std::string shown = key.secret ? "the value" : Shown(text);
  const std::string range = DescribeRange(key);
  return absl::InvalidArgumentError(absl::StrCat(
      shown, " is not ", what, range.empty() ? "" : absl::StrCat(" (allowed: ", range, ")")));
}

bool ParseBool(absl::string_view text, bool& value) { return absl::SimpleAtob(text, &value); }

bool ParseBytes(absl::string_view text, int64_t& value) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  int64_t number = 0;
  if (!absl::SimpleAtoi(text.substr(0, digits), &number)) return false;
  const absl::string_view suffix = absl::StripAsciiWhitespace(text.substr(digits));
  for (const Unit& unit : kByteUnits) {
    if (suffix == unit.suffix) return !__builtin_mul_overflow(number, unit.bytes, &value);
  }
  return false;
}

std::vector<std::string> ParseList(absl::string_view text) {
  std::vector<std::string> items;
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(item);
    if (!trimmed.empty()) items.emplace_back(trimmed);
  }
  return items;
}

absl::StatusOr<Value> ParseMap(const Key& key, absl::string_view text) {
  std::map<std::string, std::string> pairs;
  for (const std::string& item : ParseList(text)) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(item, absl::MaxSplits('=', 1));
    if (item.find('=') == std::string::npos || pair.first.empty()) {
      return Wrong(key, item, "of the form name=value");
    }
    if (!pairs.insert(pair).second) return Wrong(key, item, "the only value of its name");
  }
  return Value(std::move(pairs));
}

template <typename T>
absl::StatusOr<Value> InRange(const Key& key, absl::string_view text, T value) {
  if (value < std::get<T>(key.min) || std::get<T>(key.max) < value) {
    return Wrong(key, text, "in range");
  }
  return Value(value);
}

bool IsChoice(const Key& key, absl::string_view text) {
  if (key.choices.empty()) return true;
  for (const absl::string_view choice : absl::StrSplit(key.choices, ',')) {
    if (choice == text) return true;
  }
  return false;
}

template <typename T>
std::string Between(const Key& key, T lowest, T highest) {
  const bool low = std::get<T>(key.min) != lowest;
  const bool high = std::get<T>(key.max) != highest;
  const std::string min = FormatValue(key, key.min);
  const std::string max = FormatValue(key, key.max);
  std::string text;
  if (low && high) text = absl::StrCat(min, " to ", max);
  if (low && !high) text = absl::StrCat("at least ", min);
  if (!low && high) text = absl::StrCat("at most ", max);
  if (!text.empty() && !key.unit.empty()) absl::StrAppend(&text, " ", key.unit);
  return text;
}

std::string FormatBytes(int64_t value) {
  for (const Unit& unit : kByteUnits) {
    const bool binary = unit.suffix.size() == 3;
    if (binary && value != 0 && value % unit.bytes == 0) {
      return absl::StrCat(value / unit.bytes, unit.suffix);
    }
  }
  return absl::StrCat(value);
}

// As short as it can be and still read as the same number.
std::string FormatDouble(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return std::string(digits.data(), end);
}

}  // namespace

absl::StatusOr<Value> ParseValue(const Key& key, absl::string_view raw) {
  const absl::string_view text = absl::StripAsciiWhitespace(raw);
  if (key.secret && text == kSecretMask) {
    return Wrong(key, text, "a secret: it is what --print-config shows instead of one");
  }
  switch (key.type) {
    case Type::kBool: {
      bool value = false;
      if (!ParseBool(text, value)) return Wrong(key, text, "true or false");
      return Value(value);
    }
    case Type::kInt: {
      int64_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return Wrong(key, text, "a whole number");
      return InRange(key, text, value);
    }
    case Type::kDouble: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
        return Wrong(key, text, "a number");
      }
      return InRange(key, text, value);
    }
    case Type::kDuration: {
      absl::Duration value;
      if (!absl::ParseDuration(text, &value)) {
        return Wrong(key, text, "a duration such as 250ms, 30s or 5m");
      }
      return InRange(key, text, value);
    }
    case Type::kBytes: {
      int64_t value = 0;
      if (!ParseBytes(text, value)) return Wrong(key, text, "a size such as 512, 64KiB or 8MiB");
      return InRange(key, text, value);
    }
    case Type::kString:
      if (!IsChoice(key, text)) return Wrong(key, text, "known");
      return Value(std::string(text));
    case Type::kStringList:
      return Value(ParseList(text));
    case Type::kStringMap:
      return ParseMap(key, text);
  }
  return absl::InternalError("a key without a type");
}

std::string FormatValue(const Key& key, const Value& value) {
  switch (key.type) {
    case Type::kBool:
      return std::get<bool>(value) ? "true" : "false";
    case Type::kInt:
      return absl::StrCat(std::get<int64_t>(value));
    case Type::kDouble:
      return FormatDouble(std::get<double>(value));
    case Type::kDuration:
      return absl::FormatDuration(std::get<absl::Duration>(value));
    case Type::kBytes:
      return FormatBytes(std::get<int64_t>(value));
    case Type::kString:
      return std::get<std::string>(value);
    case Type::kStringList:
      return absl::StrJoin(std::get<std::vector<std::string>>(value), ",");
    case Type::kStringMap:
      return absl::StrJoin(std::get<std::map<std::string, std::string>>(value), ",",
                           absl::PairFormatter("="));
  }
  return "";
}

std::string DescribeRange(const Key& key) {
  using Int64 = std::numeric_limits<int64_t>;
  using Real = std::numeric_limits<double>;
  switch (key.type) {
    case Type::kInt:
      return Between<int64_t>(key, Int64::min(), Int64::max());
    case Type::kBytes:
      return Between<int64_t>(key, 0, Int64::max());
    case Type::kDouble:
      return Between<double>(key, Real::lowest(), Real::max());
    case Type::kDuration:
      return Between<absl::Duration>(key, absl::ZeroDuration(), kLongest);
    case Type::kString:
      return absl::StrJoin(absl::StrSplit(key.choices, ',', absl::SkipEmpty()), ", ");
    default:
      return "";
  }
}

}  // namespace bdcsync::config
