#include "libs/script/limits.h"

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/value.h"

namespace bdcsync::script {
namespace {

absl::Status CheckRange(absl::string_view name, uint64_t value, uint64_t low, uint64_t high) {
  if (low <= value && value <= high) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, name,
                     absl::StrCat(name, " is ", value, ", not within ", low, " and ", high));
}

}  // namespace

absl::Status CheckLimits(const Limits& limits) {
  RETURN_IF_ERROR(CheckRange("script_bytes_max", limits.script_bytes_max, 1, kScriptBytesCeiling));
  RETURN_IF_ERROR(CheckRange("instructions_max", limits.instructions_max, 1, kInstructionsCeiling));
  RETURN_IF_ERROR(CheckRange("memory_bytes_max", limits.memory_bytes_max, kMemoryBytesFloor,
                             kMemoryBytesCeiling));
  RETURN_IF_ERROR(CheckRange("output_bytes_max", limits.output_bytes_max, 1, kOutputBytesCeiling));
  return CheckRange("depth_max", limits.depth_max, 1, json::kDepthCeiling);
}

}  // namespace bdcsync::script
