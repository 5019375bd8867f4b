// What one run has used of its instructions and memory, as Lua's allocator and count hook. Once
// either is used up every further step fails, so that a script cannot catch the error and go on.
// The count depends on the script and its inputs only, never on time. Not thread-safe: one a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <lua.hpp>

#include "libs/script/limits.h"

namespace bdcsync::script {

class Budget {
 public:
  enum class Exhausted { kNothing, kInstructions, kMemory };

  explicit Budget(const Limits& limits)
      : instructions_left_(limits.instructions_max), memory_left_(limits.memory_bytes_max) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // Lua's allocator; `self` is the budget.
  static void* Allocate(void* self, void* block, size_t old_bytes, size_t new_bytes);
  // The budget of the state, once Attach() was called.
  static Budget& Of(lua_State* lua) { return **static_cast<Budget**>(lua_getextraspace(lua)); }
  void Attach(lua_State* lua);
  // Begins to count instructions: until then only memory is limited.
  void Arm(lua_State* lua);

  // Counts `steps` instructions, or `steps` that may each touch a long string. Raises a Lua error
  // when they are used up.
  void Charge(lua_State* lua, uint64_t steps) {
    if (!Spend(steps)) Fail(lua);
  }
  void ChargeWeighted(lua_State* lua, uint64_t steps) { Charge(lua, steps * weight_); }
  // What a function that goes through `bytes` bytes costs.
  void ChargeBytes(lua_State* lua, size_t bytes) { Charge(lua, bytes / kBytesAStep + 1); }

  // A string with zero bytes exists or may come to be: comparing such strings takes longer.
  void ExpectZeroBytes();

  // To be called with each error, its value at the top of the stack: learns whether memory is used
  // up.
  void NoteError(lua_State* lua, int lua_status);
  // The same with an error that the script caught: raises it again when it must end the run.
  void OnCaught(lua_State* lua, int lua_status);
  Exhausted exhausted() const { return exhausted_; }

 private:
  static constexpr uint64_t kHookSteps = 1000;
  static constexpr uint64_t kAllocationSteps = 4;
  static constexpr uint64_t kCaughtErrorSteps = 500;
  static constexpr size_t kBytesAStep = 64;
  // One instruction can compare two strings, copy a whole stack of arguments, or walk along a chain
  // of colliding keys. So it weighs one more for each of these pieces of the largest there was.
  static constexpr size_t kStringBytesAWeight = 4096;
  static constexpr size_t kStackBytesAWeight = 4096;
  static constexpr size_t kKeysBytesAWeight = 16 * 1024;
  static constexpr size_t kZeroBytesFactor = 64;

  static void OnCount(lua_State* lua, lua_Debug* record);
  [[noreturn]] static void Fail(lua_State* lua);
  bool Spend(uint64_t steps);
  bool MayGrow(size_t growth, size_t new_bytes);
  // Learns from an allocation what the largest string, stack and table are.
  void NoteBlock(void* block, size_t kind, size_t bytes);
  void NoteFree(const void* block);
  void UpdateWeight();
  void SetHook();

  uint64_t instructions_left_;
  size_t memory_left_;
  size_t memory_used_ = 0;
  Exhausted exhausted_ = Exhausted::kNothing;
  bool armed_ = false;
  lua_State* lua_ = nullptr;

  size_t string_bytes_largest_ = 0;
  size_t stack_bytes_largest_ = 0;
  size_t keys_bytes_largest_ = 0;
  size_t string_factor_ = 1;
  uint64_t weight_ = 1;
  uint64_t hook_weight_ = 1;
  uint64_t hook_period_ = kHookSteps;
  size_t allocations_ = 0;
  const void* stack_ = nullptr;
  const void* last_plain_block_ = nullptr;
  size_t last_plain_bytes_ = 0;
};

}  // namespace bdcsync::script
