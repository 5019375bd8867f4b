// Parse against Boost.JSON, on random texts and on those with a few bytes wrong.
#include <iterator>
#include <string>

#include "absl/strings/escaping.h"
#include "libs/json/boost_parse_testing.h"
#include "libs/json/parse.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/testing/property_cases.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

constexpr size_t kDepthMax = 5;

// Bytes and pieces at which readers differ.
const std::string kPieces[] = {"{",
                               "}",
                               "[",
                               "]",
                               "\"",
                               ":",
                               ",",
                               " ",
                               "\n",
                               "\t",
                               "\r",
                               "\v",
                               "\\",
                               "\\\"",
                               "\\/",
                               "\\n",
                               "\\x",
                               "\\u00e9",
                               "\\ud83d",
                               "\\ude00",
                               "\\ud83d\\ude00",
                               "\\u12",
                               "\\uD8",
                               "-",
                               "+",
                               ".",
                               "e",
                               "E+",
                               "0",
                               "9",
                               "1e400",
                               "1.5e-7",
                               "2147483648",
                               "true",
                               "fals",
                               "null",
                               "NaN",
                               "\x7f",
                               "\x80",
                               "\xc3",
                               "\xc3\xa9",
                               "\xc0\xaf",
                               "\xe2\x82\xac",
                               "\xed\xa0\x80",
                               "\xf0\x9f\x98\x80",
                               "\xf4\x90\x80\x80",
                               "\xff",
                               std::string(1, '\0'),
                               "\x1f",
                               "plain text of some length"};

std::string Mutated(std::string text, RandomValue& random) {
  for (size_t edits = random.Below(4); edits > 0; --edits) {
    const size_t at = random.Below(text.size() + 1);
    const size_t erased = random.Below(3) == 0 ? random.Below(4) : 0;
    text.replace(at, std::min(erased, text.size() - at), kPieces[random.Below(std::size(kPieces))]);
  }
  return text;
}

TEST(ParseDifferential, ReadsWhatBoostReadsAndNothingElse) {
  size_t read = 0;
  for (uint64_t seed = 0; seed < testing::PropertyCases(); ++seed) {
    RandomValue random(seed);
    const Value value = random.Make(/*depth_max=*/4);
    const std::string text =
        Mutated(random.Below(2) == 0 ? Serialize(value) : SerializePretty(value), random);
    const BoostOutcome expected = ParseByBoost(text, kDepthMax);
    const absl::StatusOr<Value> found = Parse(text, {.depth_max = kDepthMax});
    if (expected.exponent_overflow && found.ok()) continue;
    ASSERT_EQ(found.ok(), expected.value.has_value())
        << "seed " << seed << ": " << absl::CEscape(text) << "\n"
        << found.status().message();
    if (found.ok()) {
      ++read;
      ASSERT_EQ(Serialize(*found), Serialize(*expected.value)) << "seed " << seed << ": " << text;
    } else {
      ASSERT_THAT(found,
                  testing::HasReason(expected.too_deep ? Reason::kTooDeep : Reason::kBadMessage))
          << "seed " << seed << ": " << absl::CEscape(text);
    }
  }
  EXPECT_GT(read, testing::PropertyCases() / 10);
}

}  // namespace
}  // namespace bdcsync::json
