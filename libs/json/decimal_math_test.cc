#include "libs/json/decimal_math.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

std::string Sum(absl::string_view a, absl::string_view b, absl::string_view c) {
  const auto number = [](absl::string_view text) { return *Value::FromNumberText(text); };
  const std::optional<Value> sum = AddAndSubtract(number(a), number(b), number(c));
  return sum ? Serialize(*sum) : "-";
}

TEST(CompareNumbers, OrdersByExactValue) {
  const char* const ascending[] = {"-1e400",
                                   "-10",
                                   "-9.9",
                                   "-1e-400",
                                   "0",
                                   "1e-400",
                                   "0.1",
                                   "0.11",
                                   "0.2",
                                   "1",
                                   "9007199254740992",
                                   "9007199254740993",
                                   "1e400"};
  for (size_t i = 0; i < std::size(ascending); ++i) {
    for (size_t j = 0; j < std::size(ascending); ++j) {
      const int order = CompareNumbers(ascending[i], ascending[j]);
      EXPECT_EQ(order < 0, i < j) << ascending[i] << " " << ascending[j];
      EXPECT_EQ(order == 0, i == j) << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(CompareNumbers("1.0", "10e-1"), 0);
  EXPECT_EQ(CompareNumbers("-0", "0.00"), 0);
}

TEST(AddAndSubtract, IsExactAndKeepsTheDigitsBehindThePoint) {
  EXPECT_EQ(Sum("9007199254740993", "2", "1"), "9007199254740994");
  EXPECT_EQ(Sum("0.1", "0.2", "0"), "0.3");
  EXPECT_EQ(Sum("1.10", "2", "1"), "2.10");
  EXPECT_EQ(Sum("1.5", "1.5", "3"), "0.0");
  EXPECT_EQ(Sum("5", "5", "11"), "-1");
  EXPECT_EQ(Sum("-5", "-5", "-11"), "1");
  EXPECT_EQ(Sum("0", "0", "0.05"), "-0.05");
  EXPECT_EQ(Sum("1e3", "1", "0"), "1001");
  EXPECT_EQ(Sum("1e-3", "1", "0"), "1.001");
  EXPECT_EQ(Sum("-0", "0", "0"), "0");
  EXPECT_EQ(Sum("999999999999999999999999", "1", "0"), "1000000000000000000000000");
}

TEST(AddAndSubtract, GivesNothingForMoreDigitsThanTheLimit) {
  EXPECT_EQ(Sum("1e999", "0", "0").size(), kSumDigitsMax);
  EXPECT_EQ(Sum("1e1000", "0", "0"), "-");
  EXPECT_EQ(Sum("1e-1001", "0", "0"), "-");
  EXPECT_EQ(Sum("9e999", "9e999", "0"), "-");
}

TEST(AddAndSubtract, AgreesWithIntegersForRandomNumbers) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    RandomValue random(seed);
    const auto number = [&random] {
      const auto magnitude =
          static_cast<int64_t>(random.Below(random.Below(2) == 0 ? 20 : 5'000'000));
      return random.Below(2) == 0 ? magnitude : -magnitude;
    };
    const int64_t a = number(), b = number(), c = number();
    ASSERT_EQ(Sum(absl::StrCat(a), absl::StrCat(b), absl::StrCat(c)), absl::StrCat(a + b - c))
        << "seed " << seed;
    ASSERT_EQ(CompareNumbers(absl::StrCat(a), absl::StrCat(b)), a < b ? -1 : (a == b ? 0 : 1));
  }
}

TEST(CanonicalNumber, IsOneTextForEqualNumbers) {
  const std::pair<const char*, const char*> kTexts[] = {{"1", "1"},
                                                        {"1.0", "1"},
                                                        {"10e-1", "1"},
                                                        {"-0.0", "0"},
                                                        {"-1.50", "-1.5"},
                                                        {"15E-1", "1.5"},
                                                        {"100", "100"},
                                                        {"1e2", "100"},
                                                        {"0.00150", "0.0015"},
                                                        {"1e20", "100000000000000000000"},
                                                        {"1e21", "1e21"},
                                                        {"12e399", "1.2e400"},
                                                        {"-0.5e-400", "-5e-401"},
                                                        {"9007199254740993", "9007199254740993"},
                                                        {"0.1e-2000000000", "1e-2000000001"}};
  for (const auto& [text, canonical] : kTexts) EXPECT_EQ(CanonicalNumber(text), canonical) << text;
}

// Twice is as good as once, the value stays, and equal numbers have equal texts.
TEST(CanonicalNumber, KeepsTheValueOfRandomNumbers) {
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    RandomValue random(seed);
    const std::string digits = std::to_string(random.Below(1000) * (1 + random.Below(1'000'000)));
    const auto zeros = static_cast<int>(random.Below(40));
    const auto exponent = static_cast<int>(random.Below(60)) - 30;
    const std::string plain = digits + "e" + std::to_string(exponent);
    const std::string padded = digits + "." + std::string(1 + static_cast<size_t>(zeros), '0') +
                               "E" + std::to_string(exponent);
    const std::string shifted = digits + std::string(static_cast<size_t>(zeros), '0') + "e" +
                                std::to_string(exponent - zeros);
    const std::string canonical = CanonicalNumber(plain);
    ASSERT_TRUE(Value::FromNumberText(canonical).has_value()) << canonical;
    ASSERT_EQ(CompareNumbers(canonical, plain), 0) << plain << " " << canonical;
    for (const std::string& other : {padded, shifted, canonical}) {
      if (!Value::FromNumberText(other).has_value()) continue;  // 000 is no number.
      ASSERT_EQ(CanonicalNumber(other), canonical) << other;
    }
  }
}

}  // namespace
}  // namespace bdcsync::json
