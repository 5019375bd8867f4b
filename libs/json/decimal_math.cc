#include "libs/json/decimal_math.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/json/decimal.h"

namespace bdcsync::json {
namespace {

std::string DigitsOf(const Decimal& decimal) {
  std::string digits;
  for (const char c : decimal.digits) {
    if (c != '.') digits.push_back(c);
  }
  return digits;
}

// -1, 0 or 1 by absolute value; the signs do not count.
int CompareMagnitudes(const Decimal& a, const Decimal& b) {
  const std::string a_digits = DigitsOf(a);
  const std::string b_digits = DigitsOf(b);
  if (a_digits.empty() || b_digits.empty()) {
    return static_cast<int>(!a_digits.empty()) - static_cast<int>(!b_digits.empty());
  }
  const int64_t a_top = a.exponent + static_cast<int64_t>(a_digits.size());
  const int64_t b_top = b.exponent + static_cast<int64_t>(b_digits.size());
  if (a_top != b_top) return a_top < b_top ? -1 : 1;
  const int order = a_digits.compare(b_digits);  // No trailing zeros: a prefix is the lesser.
  return order == 0 ? 0 : (order < 0 ? -1 : 1);
}

// A number cut to whole units of 10^-scale: `digits` from the least one, values 0 to 9.
struct Units {
  bool negative;
  std::string digits;
};

// How many digits stand behind the point when `text` is written without an exponent, zeros
// included.
int64_t ScaleOf(absl::string_view text) {
  const Decimal decimal = ReadDecimal(text);
  if (text.find_first_of("eE") != absl::string_view::npos) {
    return std::max<int64_t>(0, -decimal.exponent);
  }
  const size_t point = text.find('.');
  return point == absl::string_view::npos ? 0 : static_cast<int64_t>(text.size() - point - 1);
}

std::optional<Units> UnitsOf(absl::string_view text, int64_t scale) {
  const Decimal decimal = ReadDecimal(text);
  std::string digits = DigitsOf(decimal);
  if (digits.empty()) return Units{false, ""};
  const int64_t zeros = decimal.exponent + scale;
  if (zeros + static_cast<int64_t>(digits.size()) > static_cast<int64_t>(kSumDigitsMax)) {
    return std::nullopt;
  }
  digits.append(static_cast<size_t>(zeros), '0');
  std::reverse(digits.begin(), digits.end());
  for (char& digit : digits) digit = static_cast<char>(digit - '0');
  return Units{decimal.negative, std::move(digits)};
}

bool Less(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

void Trim(std::string& digits) {
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
}

// a + b, or a - b where b is not greater.
std::string Combine(const std::string& a, const std::string& b, int sign) {
  std::string result;
  int carry = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    const int sum = (i < a.size() ? a[i] : 0) + sign * (i < b.size() ? b[i] : 0) + carry;
    carry = sum < 0 ? -1 : sum / 10;
    result.push_back(static_cast<char>((sum + 10) % 10));
  }
  Trim(result);
  return result;
}

Units Add(const Units& a, const Units& b) {
  if (a.negative == b.negative) return {a.negative, Combine(a.digits, b.digits, 1)};
  const bool b_wins = Less(a.digits, b.digits);
  const Units& larger = b_wins ? b : a;
  const Units& lesser = b_wins ? a : b;
  return {larger.negative, Combine(larger.digits, lesser.digits, -1)};
}

Value Write(Units units, size_t scale) {
  if (units.digits.size() > kSumDigitsMax) return nullptr;
  std::string text;
  if (units.negative && !units.digits.empty()) text.push_back('-');
  units.digits.resize(std::max(units.digits.size(), scale + 1), 0);
  for (size_t i = units.digits.size(); i-- > 0;) {
    text.push_back(static_cast<char>('0' + units.digits[i]));
    if (i == scale && scale > 0) text.push_back('.');
  }
  return Value(NumberText{text});
}

}  // namespace

int CompareNumbers(absl::string_view a, absl::string_view b) {
  const Decimal x = ReadDecimal(a);
  const Decimal y = ReadDecimal(b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;  // Zero has no sign.
  const int order = CompareMagnitudes(x, y);
  return x.negative ? -order : order;
}

std::string CanonicalNumber(absl::string_view number) {
  const Decimal decimal = ReadDecimal(number);
  std::string digits = DigitsOf(decimal);
  if (digits.empty()) return "0";
  const auto size = static_cast<int64_t>(digits.size());
  const int64_t point = size + decimal.exponent;  // So many digits stand before it.
  if (decimal.exponent >= 0 && point <= kPlainDigitsMax) {
    digits.append(static_cast<size_t>(decimal.exponent), '0');
  } else if (0 < point && point < size && size <= kPlainDigitsMax) {
    digits.insert(static_cast<size_t>(point), 1, '.');
  } else if (point <= 0 && size - point <= kPlainDigitsMax) {
    digits.insert(0, "0." + std::string(static_cast<size_t>(-point), '0'));
  } else {
    if (size > 1) digits.insert(1, 1, '.');
    absl::StrAppend(&digits, "e", point - 1);
  }
  return decimal.negative ? "-" + digits : digits;
}

std::optional<Value> AddAndSubtract(const Value& a, const Value& b, const Value& c) {
  int64_t scale = 0;
  for (const Value* number : {&a, &b, &c}) scale = std::max(scale, ScaleOf(number->number_text()));
  if (scale > static_cast<int64_t>(kSumDigitsMax)) return std::nullopt;
  std::optional<Units> x = UnitsOf(a.number_text(), scale);
  const std::optional<Units> y = UnitsOf(b.number_text(), scale);
  std::optional<Units> z = UnitsOf(c.number_text(), scale);
  if (!x || !y || !z) return std::nullopt;
  z->negative = !z->negative;
  Value sum = Write(Add(Add(*x, *y), *z), static_cast<size_t>(scale));
  if (sum.is_null()) return std::nullopt;
  return sum;
}

}  // namespace bdcsync::json
