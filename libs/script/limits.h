// What one run of a script may use. Beyond a limit the run ends with an error; nothing inside the
// script can catch that. Values only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace bdcsync::script {

struct Limits {
  // Of the script's text.
  size_t script_bytes_max = 64 * 1024;
  // Instructions of Lua's machine, about 5 ns each. What costs more counts more: a function of the
  // libraries by what it walks over, an allocation by its size, a caught error 500; and once there
  // are strings above 4 KiB, every instruction counts as many as the longest one has such pieces
  // (budget.h).
  uint64_t instructions_max = 2'000'000;
  // Of everything Lua holds, inputs included.
  size_t memory_bytes_max = 16 * 1024 * 1024;
  // Of the result's compact text, and how deep its containers nest.
  size_t output_bytes_max = 1024 * 1024;
  size_t depth_max = 64;
};

// The range that each limit may be set to.
inline constexpr size_t kScriptBytesCeiling = 1024 * 1024;
inline constexpr uint64_t kInstructionsCeiling = 1'000'000'000;
inline constexpr size_t kMemoryBytesFloor = 128 * 1024;  // An empty script needs a quarter of it.
inline constexpr size_t kMemoryBytesCeiling = 1024 * 1024 * 1024;
inline constexpr size_t kOutputBytesCeiling = 64 * 1024 * 1024;

// INVALID_ARGUMENT, naming the limit, when one is outside its range.
absl::Status CheckLimits(const Limits& limits);

}  // namespace bdcsync::script
