// Any bytes: parsing must not crash, must read what Boost.JSON reads and nothing else, and what was
// parsed must come back from its own text.
#include <cstdint>
#include <cstdlib>

#include "libs/json/boost_parse_testing.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = bdcsync::json;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<json::Value> value = json::Parse(text);
  const json::BoostOutcome boost = json::ParseByBoost(text, json::ParseLimits().depth_max);
  if (!boost.exponent_overflow) Require(value.ok() == boost.value.has_value());
  if (!value.ok()) return 0;
  Require(!boost.value || json::Serialize(*value) == json::Serialize(*boost.value));
  const std::string compact = json::Serialize(*value);
  const json::Extent extent = json::Measure(*value);
  Require(extent.bytes == compact.size() && extent.depth <= json::ParseLimits().depth_max);
  for (const std::string& written : {compact, json::SerializePretty(*value)}) {
    const absl::StatusOr<json::Value> again = json::Parse(written);
    Require(again.ok() && json::Identical(*value, *again) && *value == *again);
    Require(json::Serialize(*again) == compact);
    Require(json::HashOf(*value) == json::HashOf(*again));
  }
  return 0;
}
