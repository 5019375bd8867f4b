#include "libs/json/decimal.h"

#include <charconv>
#include <cmath>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/value.h"

namespace bdcsync::json {
namespace {

// So many digits are a number of 64 bits, as nearly all are; that is hashed in less time than a
// text.
constexpr size_t kShortDigitsMax = 19;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Moves `text` past its leading digits and returns how many there were.
size_t SkipDigits(absl::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

int64_t ReadExponent(absl::string_view text) {
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  int64_t exponent = 0;
  for (const char digit : text) {
    if (exponent > 100 * kExponentMax) break;  // No parsed number gets here.
    exponent = exponent * 10 + (digit - '0');
  }
  return negative ? -exponent : exponent;
}

// Calls `visit` with each digit until it returns false.
template <typename Visit>
void ForEachDigit(absl::string_view digits, Visit visit) {
  for (const char c : digits) {
    if (c != '.' && !visit(c)) return;
  }
}

}  // namespace

Decimal ReadDecimal(absl::string_view text) {
  Decimal decimal;
  decimal.negative = text[0] == '-';
  if (decimal.negative) text.remove_prefix(1);
  constexpr size_t kNone = absl::string_view::npos;
  size_t point = kNone;
  size_t e = 0;
  for (; e < text.size() && text[e] != 'e' && text[e] != 'E'; ++e) {
    if (text[e] == '.') point = e;
  }
  if (e < text.size()) decimal.exponent = ReadExponent(text.substr(e + 1));
  text = text.substr(0, e);
  if (point != kNone) decimal.exponent -= static_cast<int64_t>(text.size() - point - 1);
  while (!text.empty() && (text.back() == '0' || text.back() == '.')) {
    if (text.back() == '0') ++decimal.exponent;
    text.remove_suffix(1);
  }
  while (!text.empty() && (text.front() == '0' || text.front() == '.')) text.remove_prefix(1);
  if (text.empty()) return Decimal();
  decimal.digits = text;
  return decimal;
}

bool IsNumberText(absl::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  const bool zero_first = !text.empty() && text[0] == '0';
  const size_t integer_digits = SkipDigits(text);
  if (integer_digits == 0 || (zero_first && integer_digits > 1)) return false;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    if (SkipDigits(text) == 0) return false;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    if (SkipDigits(text) == 0) return false;
  }
  return text.empty();
}

uint64_t HashOf(const Decimal& decimal) {
  const auto hash = [&decimal](const auto& digits) {
    return absl::HashOf(decimal.negative, decimal.exponent, digits);
  };
  const bool has_point = decimal.digits.find('.') != absl::string_view::npos;
  if (decimal.digits.size() - (has_point ? 1 : 0) <= kShortDigitsMax) {
    uint64_t number = 0;
    ForEachDigit(decimal.digits, [&number](char digit) {
      number = number * 10 + static_cast<uint64_t>(digit - '0');
      return true;
    });
    return hash(number);
  }
  if (!has_point) return hash(decimal.digits);
  std::string digits;
  ForEachDigit(decimal.digits, [&digits](char digit) {
    digits.push_back(digit);
    return true;
  });
  return hash(digits);
}

std::optional<int64_t> ToInt64(const Decimal& decimal) {
  if (decimal.exponent < 0 || decimal.exponent > 18) return std::nullopt;
  __extension__ using Wide = __int128;
  constexpr Wide kBeyond = Wide{1} << 64;
  Wide magnitude = 0;
  const auto push = [&](int digit) {
    magnitude = magnitude * 10 + digit;
    return magnitude < kBeyond;
  };
  bool fits = true;
  ForEachDigit(decimal.digits, [&](char digit) { return fits = push(digit - '0'); });
  for (int64_t i = 0; fits && i < decimal.exponent; ++i) fits = push(0);
  const Wide number = decimal.negative ? -magnitude : magnitude;
  if (!fits || number > INT64_MAX || number < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(number);
}

bool SameNumber(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  const Decimal x = ReadDecimal(a);
  const Decimal y = ReadDecimal(b);
  if (x.negative != y.negative || x.exponent != y.exponent) return false;
  size_t i = 0;
  size_t j = 0;
  while (true) {
    if (i < x.digits.size() && x.digits[i] == '.') ++i;
    if (j < y.digits.size() && y.digits[j] == '.') ++j;
    if (i == x.digits.size() || j == y.digits.size()) break;
    if (x.digits[i++] != y.digits[j++]) return false;
  }
  return i == x.digits.size() && j == y.digits.size();
}

std::optional<Value> Value::FromNumberText(absl::string_view text) {
  if (!IsNumberText(text)) return std::nullopt;
  if (const size_t e = text.find_first_of("eE"); e != absl::string_view::npos) {
    const int64_t exponent = ReadExponent(text.substr(e + 1));
    if (exponent > kExponentMax || exponent < -kExponentMax) return std::nullopt;
  }
  return Value(NumberText{text});
}

std::optional<Value> Value::FromDouble(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), number).ptr;
  return Value(NumberText{absl::string_view(text, end - text)});
}

absl::StatusOr<int64_t> Value::AsInt64() const {
  if (!is_number()) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("want an integer, not ", KindName(rep_.kind)));
  }
  if (const std::optional<int64_t> integer = ToInt64(ReadDecimal(text()))) return *integer;
  return MakeError(Reason::kInvalidArgument, "want an integer of 64 bits, not this number");
}

absl::StatusOr<double> Value::AsDouble() const {
  if (!is_number()) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("want a number, not ", KindName(rep_.kind)));
  }
  double number = 0;
  const absl::string_view digits = text();
  const auto result = absl::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool overflow = result.ec == std::errc::result_out_of_range && std::fabs(number) > 1;
  if (!overflow) return number;
  return MakeError(Reason::kInvalidArgument, "number out of range");
}

}  // namespace bdcsync::json
