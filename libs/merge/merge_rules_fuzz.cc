// Rule sets from outside, and merges, choices and undoing by those that are accepted: rules, base,
// theirs and ours as four JSON texts with NUL between them.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_split.h"
#include "libs/json/parse.h"
#include "libs/merge/choose.h"
#include "libs/merge/take_back.h"
#include "libs/merge/three_way.h"

namespace {

namespace json = bdcsync::json;
namespace merge = bdcsync::merge;

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<json::Value> values;
  for (const absl::string_view text : absl::StrSplit(input, '\0')) {
    absl::StatusOr<json::Value> value = json::Parse(text);
    if (!value.ok()) return 0;
    values.push_back(*std::move(value));
  }
  if (values.size() != 4) return 0;
  const absl::StatusOr<merge::RuleSet> rules = merge::ParseRuleSet(values[0]);
  if (!rules.ok()) return 0;
  const merge::MergeOptions options{.rules = &*rules, .matching_work_max = 1000};
  const auto merged = merge::Merge(values[1], values[2], values[3], options).value();
  const auto theirs = merge::Merge(values[1], values[2], values[1], options).value();
  Require(theirs.value == values[2] && theirs.conflicts.empty());
  const std::vector<merge::Choice> ours = {{.pick = merge::Pick::kOurs}};
  const auto chosen = merge::Choose(values[1], values[2], values[3], ours, {.merge = options});
  Require(chosen.ok() && chosen->conflicts.empty());
  Require(merge::TakeBack(merged.decisions, {}, merged.value, merged.value, options).ok());
  if (merged.value) {
    const auto again = merge::Merge(values[2], merged.value, values[2], options).value();
    Require(again.value == merged.value);
  }
  return 0;
}
