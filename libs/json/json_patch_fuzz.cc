// Two JSON texts with a NUL byte between them. The second is applied to the first as JSON Patch and
// as merge patch, and the two are compared: no crash, all or nothing, results within the limits,
// and the difference of two values turns one into the other.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "libs/json/diff.h"
#include "libs/json/merge_patch.h"
#include "libs/json/parse.h"
#include "libs/json/patch.h"
#include "libs/json/serialize.h"

namespace {

namespace json = bdcsync::json;

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckPatch(const json::Value& document, const json::Value& patch) {
  json::PatchLimits limits;
  limits.operations_max = 1000;
  limits.result_bytes_max = 100'000;
  json::Value target = document;
  if (json::ApplyPatch(target, patch, limits).ok()) {
    const json::Extent after = json::Measure(target);
    const json::Extent before = json::Measure(document);
    Require(after.bytes <= std::max(before.bytes, limits.result_bytes_max));
    Require(after.depth <= std::max(before.depth, limits.depth_max));
  } else {
    Require(json::Serialize(target) == json::Serialize(document));
  }
}

void CheckMergePatch(const json::Value& document, const json::Value& patch) {
  json::Value once = document;
  json::ApplyMergePatch(once, patch);
  json::Value twice = once;
  Require(json::ApplyMergePatchAndList(twice, patch, 10).empty());
  Require(json::Identical(once, twice));
}

void CheckDiff(const json::Value& from, const json::Value& to) {
  json::Value result = from;
  Require(json::ApplyPatch(result, json::Diff(from, to, {.matching_work_max = 1000})).ok());
  Require(json::Identical(result, to));
  Require(json::ChangedPaths(from, to, 10).empty() == json::Identical(from, to));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t separator = input.find('\0');
  if (separator == absl::string_view::npos) return 0;
  const absl::StatusOr<json::Value> first = json::Parse(input.substr(0, separator));
  const absl::StatusOr<json::Value> second = json::Parse(input.substr(separator + 1));
  if (!first.ok() || !second.ok()) return 0;
  CheckPatch(*first, *second);
  CheckMergePatch(*first, *second);
  CheckDiff(*first, *second);
  return 0;
}
