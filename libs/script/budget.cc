#include "libs/script/budget.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace bdcsync::script {
namespace {

// Lua tells the allocator what a new block is for: the type of an object, or 0 for a plain block.
constexpr size_t kPlainBlock = 0;
constexpr size_t kStateAllocations = 2;  // The first block is the state, the second its stack.
constexpr size_t kKeyBytes = 24;         // A table's keys are 2^n of these.
// What a refused allocation costs: Lua collects garbage then, which walks over all that is used.
constexpr size_t kCollectedBytesAStep = 16;

bool IsKeys(size_t bytes) {
  return bytes % kKeyBytes == 0 && std::has_single_bit(bytes / kKeyBytes);
}

}  // namespace

void* Budget::Allocate(void* self, void* block, size_t old_bytes, size_t new_bytes) {
  Budget& budget = *static_cast<Budget*>(self);
  const size_t held_bytes = block == nullptr ? 0 : old_bytes;
  if (new_bytes == 0) {
    budget.NoteFree(block);
    std::free(block);
    budget.memory_left_ += held_bytes;
    budget.memory_used_ -= held_bytes;
    return nullptr;
  }
  const bool grows = new_bytes > held_bytes;
  if (grows && !budget.MayGrow(new_bytes - held_bytes, new_bytes)) return nullptr;
  void* const moved = std::realloc(block, new_bytes);
  if (moved == nullptr) return grows ? nullptr : block;  // Lua relies on shrinking.
  budget.memory_left_ = budget.memory_left_ + held_bytes - new_bytes;
  budget.memory_used_ = budget.memory_used_ + new_bytes - held_bytes;
  if (block == nullptr) budget.NoteBlock(moved, old_bytes, new_bytes);
  return moved;
}

bool Budget::MayGrow(size_t growth, size_t new_bytes) {
  if (exhausted_ != Exhausted::kNothing) return false;
  if (!Spend(kAllocationSteps + new_bytes / kBytesAStep)) return false;
  if (growth <= memory_left_) return true;
  Spend(memory_used_ / kCollectedBytesAStep);
  return false;
}

void Budget::NoteBlock(void* block, size_t kind, size_t bytes) {
  ++allocations_;
  if (kind == LUA_TSTRING) {
    if (bytes <= string_bytes_largest_) return;
    string_bytes_largest_ = bytes;
  } else if (kind == kPlainBlock) {
    last_plain_block_ = block;
    last_plain_bytes_ = bytes;
    if (allocations_ == kStateAllocations) stack_ = block;
    if (!IsKeys(bytes) || bytes <= keys_bytes_largest_) return;
    keys_bytes_largest_ = bytes;
  } else {
    return;
  }
  UpdateWeight();
}

// A stack grows into a new block, and the old one is freed next.
void Budget::NoteFree(const void* block) {
  if (block == nullptr || block != stack_) return;
  stack_ = last_plain_block_;
  if (last_plain_bytes_ <= stack_bytes_largest_) return;
  stack_bytes_largest_ = last_plain_bytes_;
  UpdateWeight();
}

void Budget::UpdateWeight() {
  weight_ = 1 + string_bytes_largest_ / kStringBytesAWeight * string_factor_ +
            stack_bytes_largest_ / kStackBytesAWeight + keys_bytes_largest_ / kKeysBytesAWeight;
  // What was counted since the last call of the hook is lost here, so this must be rare.
  if (armed_ && weight_ >= 2 * hook_weight_) SetHook();
}

void Budget::ExpectZeroBytes() {
  string_factor_ = kZeroBytesFactor;
  UpdateWeight();
}

void Budget::Attach(lua_State* lua) {
  lua_ = lua;
  *static_cast<Budget**>(lua_getextraspace(lua)) = this;
}

void Budget::Arm(lua_State* lua) {
  lua_ = lua;
  armed_ = true;
  SetHook();
}

void Budget::SetHook() {
  hook_weight_ = weight_;
  hook_period_ = std::max<uint64_t>(kHookSteps / weight_, 1);
  lua_sethook(lua_, &Budget::OnCount, LUA_MASKCOUNT, static_cast<int>(hook_period_));
}

void Budget::OnCount(lua_State* lua, lua_Debug* /*record*/) {
  Budget& budget = Of(lua);
  budget.ChargeWeighted(lua, budget.hook_period_);
}

bool Budget::Spend(uint64_t steps) {
  if (!armed_) return true;
  if (exhausted_ == Exhausted::kNothing && steps < instructions_left_) {
    instructions_left_ -= steps;
    return true;
  }
  instructions_left_ = 0;
  if (exhausted_ == Exhausted::kNothing) exhausted_ = Exhausted::kInstructions;
  return false;
}

void Budget::Fail(lua_State* lua) {
  lua_settop(lua, 0);
  lua_pushnil(lua);  // Allocates nothing; nobody reads it.
  lua_error(lua);
  std::abort();  // lua_error does not return, but is not declared so.
}

void Budget::NoteError(lua_State* lua, int lua_status) {
  // A buffer that cannot grow raises an error like any other, with this message.
  const bool memory = lua_status == LUA_ERRMEM ||
                      (lua_type(lua, -1) == LUA_TSTRING &&
                       absl::string_view(lua_tostring(lua, -1)) == "not enough memory");
  if (memory && exhausted_ == Exhausted::kNothing) exhausted_ = Exhausted::kMemory;
}

void Budget::OnCaught(lua_State* lua, int lua_status) {
  NoteError(lua, lua_status);
  if (exhausted_ != Exhausted::kNothing) Fail(lua);
  Charge(lua, kCaughtErrorSteps);
}

}  // namespace bdcsync::script
