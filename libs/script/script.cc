#include "libs/script/script.h"

#include <cstddef>
#include <lua.hpp>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/script/budget.h"
#include "libs/script/libraries.h"
#include "libs/script/result.h"
#include "libs/script/values.h"

namespace bdcsync::script {
namespace {

constexpr const char* kChunkName = "=script";  // Messages begin with "script:LINE:".

struct CloseState {
  void operator()(lua_State* lua) const { lua_close(lua); }
};
using State = std::unique_ptr<lua_State, CloseState>;

// A new state within `budget`, which must outlive it; nullptr when there is no memory.
State MakeState(Budget& budget) {
  State state(lua_newstate(&Budget::Allocate, &budget));
  if (state != nullptr) budget.Attach(state.get());
  return state;
}

absl::Status ExhaustedError(const Budget& budget, const Limits& limits) {
  if (budget.exhausted() == Budget::Exhausted::kInstructions) {
    return MakeFailure(Failure::kInstructions,
                       absl::StrCat("the script ran for more than ", limits.instructions_max,
                                    " instructions"));
  }
  return MakeFailure(Failure::kMemory,
                     absl::StrCat("the script and its inputs need more than ",
                                  limits.memory_bytes_max, " bytes of memory"));
}

// The message of the error value at the top of the stack.
std::string MessageOf(lua_State* lua) {
  if (lua_type(lua, -1) != LUA_TSTRING) {
    return absl::StrCat("the script raised a ", TypeNameAt(lua, -1), " as an error");
  }
  size_t bytes = 0;
  const char* const text = lua_tolstring(lua, -1, &bytes);
  return std::string(text, bytes);
}

// Calls `function` with `call` as its argument, safe from Lua errors, and returns Lua's status.
int CallProtected(lua_State* lua, lua_CFunction function, void* call) {
  lua_pushcfunction(lua, function);
  lua_pushlightuserdata(lua, call);
  return lua_pcall(lua, 1, 0, 0);
}

absl::Status ErrorOf(lua_State* lua, int lua_status, Failure failure, Budget& budget,
                     const Limits& limits) {
  budget.NoteError(lua, lua_status);
  if (budget.exhausted() != Budget::Exhausted::kNothing) return ExhaustedError(budget, limits);
  return MakeFailure(failure, MessageOf(lua));
}

// Whether an escape in the text stands for a zero byte. Outside of strings there are no escapes, so
// this may say yes where none is, but never no where one is.
bool MayHoldZeroBytes(absl::string_view text) {
  for (size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    absl::string_view rest = text.substr(++at);
    if (rest.empty()) break;
    ++at;  // Past what is escaped, which may be a backslash.
    if (absl::ConsumePrefix(&rest, "u{") || absl::ConsumePrefix(&rest, "x")) {
      if (!rest.empty() && rest[0] == '0') return true;
    } else if (rest[0] == '0') {
      return true;
    }
  }
  return text.find('\0') != absl::string_view::npos;
}

struct CompileCall {
  absl::string_view text;
  std::string chunk;
};

int AppendChunk(lua_State* /*lua*/, const void* data, size_t bytes, void* chunk) {
  static_cast<std::string*>(chunk)->append(static_cast<const char*>(data), bytes);
  return 0;
}

int CompileProtected(lua_State* lua) {
  CompileCall& call = *static_cast<CompileCall*>(lua_touserdata(lua, 1));
  if (luaL_loadbufferx(lua, call.text.data(), call.text.size(), kChunkName, "t") != LUA_OK) {
    return lua_error(lua);
  }
  lua_dump(lua, AppendChunk, &call.chunk, /*strip=*/0);
  return 0;
}

struct ResolveCall {
  const std::string& chunk;
  const Inputs& inputs;
  const Limits& limits;
  Digits digits;
  absl::StatusOr<std::optional<json::Value>> result = std::optional<json::Value>();
};

void SetInput(lua_State* lua, const char* name, const json::Value* value, Digits& digits) {
  if (value == nullptr) return;
  PushInput(lua, *value, digits);
  lua_setglobal(lua, name);
}

absl::StatusOr<std::optional<json::Value>> ReadReturned(lua_State* lua, const ResolveCall& call) {
  const int count = lua_gettop(lua);
  if (count != 1) {
    // To fall off the end must not delete what the conflict is about.
    return MakeFailure(Failure::kResult,
                       absl::StrCat("the script returned ", count,
                                    " values: return one, which is nil to delete"));
  }
  if (lua_isnil(lua, 1)) return std::optional<json::Value>();
  ASSIGN_OR_RETURN(json::Value value, ReadResult(lua, 1, call.digits, call.limits));
  return std::optional<json::Value>(std::move(value));
}

int ResolveProtected(lua_State* lua) {
  ResolveCall& call = *static_cast<ResolveCall*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  OpenLibraries(lua);
  SetInput(lua, "base", call.inputs.base, call.digits);
  SetInput(lua, "ours", call.inputs.ours, call.digits);
  SetInput(lua, "theirs", call.inputs.theirs, call.digits);
  SetInput(lua, "meta", call.inputs.meta, call.digits);
  if (luaL_loadbufferx(lua, call.chunk.data(), call.chunk.size(), kChunkName, "b") != LUA_OK) {
    return lua_error(lua);
  }
  Budget::Of(lua).Arm(lua);
  lua_call(lua, 0, LUA_MULTRET);
  call.result = ReadReturned(lua, call);
  return 0;
}

}  // namespace

absl::StatusOr<Script> Script::Compile(absl::string_view text, const Limits& limits) {
  RETURN_IF_ERROR(CheckLimits(limits));
  if (text.size() > limits.script_bytes_max) {
    return MakeFailure(Failure::kText, absl::StrCat("the script has more than ",
                                                    limits.script_bytes_max, " bytes"));
  }
  Budget budget(limits);
  const State state = MakeState(budget);
  if (state == nullptr) return ExhaustedError(budget, limits);
  CompileCall call{text, {}};
  const int lua_status = CallProtected(state.get(), CompileProtected, &call);
  if (lua_status != LUA_OK) {
    return ErrorOf(state.get(), lua_status, Failure::kText, budget, limits);
  }
  return Script(std::move(call.chunk), MayHoldZeroBytes(text), limits);
}

absl::StatusOr<std::optional<json::Value>> Script::Resolve(const Inputs& inputs) const {
  Budget budget(limits_);
  if (expects_zero_bytes_) budget.ExpectZeroBytes();
  const State state = MakeState(budget);
  if (state == nullptr) return ExhaustedError(budget, limits_);
  ResolveCall call{chunk_, inputs, limits_, {}};
  const int lua_status = CallProtected(state.get(), ResolveProtected, &call);
  if (lua_status != LUA_OK) {
    return ErrorOf(state.get(), lua_status, Failure::kRaised, budget, limits_);
  }
  return std::move(call.result);
}

}  // namespace bdcsync::script
