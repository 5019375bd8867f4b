// The library `string` but for patterns and format. `dump`, `pack`, `packsize` and `unpack` are not
// there. Strings are bytes, as in Lua; upper and lower change ASCII letters.
#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "libs/script/budget.h"
#include "libs/script/libraries.h"

namespace bdcsync::script {
namespace {

absl::string_view TextArgument(lua_State* lua, int index) {
  size_t bytes = 0;
  const char* const data = luaL_checklstring(lua, index, &bytes);
  return absl::string_view(data, bytes);
}

// The places [first, last] from 1 that two arguments mean in a text: negative ones count from its
// end, and both are cut to the text.
struct Range {
  lua_Integer first;
  lua_Integer last;
};

Range RangeArguments(lua_State* lua, int index, lua_Integer first_default,
                     lua_Integer last_default, lua_Integer size) {
  lua_Integer first = luaL_optinteger(lua, index, first_default);
  if (first < -size || first == 0) {
    first = 1;
  } else if (first < 0) {
    first += size + 1;
  }
  lua_Integer last = luaL_optinteger(lua, index + 1, last_default == 0 ? first : last_default);
  if (last > size) {
    last = size;
  } else if (last < -size) {
    last = 0;
  } else if (last < 0) {
    last += size + 1;
  }
  return {first, last};
}

int StringByte(lua_State* lua) {
  const absl::string_view text = TextArgument(lua, 1);
  const auto [first, last] =
      RangeArguments(lua, 2, 1, 0, static_cast<lua_Integer>(text.size()));
  if (first > last) return 0;
  if (last - first >= INT_MAX) return luaL_error(lua, "string slice too long");
  const int count = static_cast<int>(last - first + 1);
  luaL_checkstack(lua, count, "string slice too long");
  Budget::Of(lua).Charge(lua, static_cast<uint64_t>(count));
  for (int i = 0; i < count; ++i) {
    lua_pushinteger(lua, static_cast<unsigned char>(text[static_cast<size_t>(first - 1 + i)]));
  }
  return count;
}

int StringChar(lua_State* lua) {
  const int count = lua_gettop(lua);
  luaL_Buffer buffer;
  char* const out = luaL_buffinitsize(lua, &buffer, static_cast<size_t>(count));
  for (int i = 1; i <= count; ++i) {
    const lua_Integer code = luaL_checkinteger(lua, i);
    luaL_argcheck(lua, 0 <= code && code <= UCHAR_MAX, i, "value out of range");
    if (code == 0) Budget::Of(lua).ExpectZeroBytes();
    out[i - 1] = static_cast<char>(code);
  }
  luaL_pushresultsize(&buffer, static_cast<size_t>(count));
  return 1;
}

int StringLen(lua_State* lua) {
  lua_pushinteger(lua, static_cast<lua_Integer>(TextArgument(lua, 1).size()));
  return 1;
}

template <typename Change>
int Changed(lua_State* lua, Change change) {
  const absl::string_view text = TextArgument(lua, 1);
  Budget::Of(lua).ChargeBytes(lua, text.size());
  luaL_Buffer buffer;
  char* const out = luaL_buffinitsize(lua, &buffer, text.size());
  change(text, out);
  luaL_pushresultsize(&buffer, text.size());
  return 1;
}

int StringLower(lua_State* lua) {
  return Changed(lua, [](absl::string_view text, char* out) {
    std::transform(text.begin(), text.end(), out,
                   [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  });
}

int StringUpper(lua_State* lua) {
  return Changed(lua, [](absl::string_view text, char* out) {
    std::transform(text.begin(), text.end(), out,
                   [](char c) { return absl::ascii_toupper(static_cast<unsigned char>(c)); });
  });
}

int StringReverse(lua_State* lua) {
  return Changed(lua, [](absl::string_view text, char* out) {
    std::reverse_copy(text.begin(), text.end(), out);
  });
}

int StringRep(lua_State* lua) {
  const absl::string_view text = TextArgument(lua, 1);
  const lua_Integer count = luaL_checkinteger(lua, 2);
  size_t separator_bytes = 0;
  const char* const separator = luaL_optlstring(lua, 3, "", &separator_bytes);
  if (count <= 0) {
    lua_pushliteral(lua, "");
    return 1;
  }
  const size_t times = static_cast<size_t>(count);
  const size_t piece_bytes = text.size() + separator_bytes;
  if (piece_bytes == 0) {
    lua_pushliteral(lua, "");
    return 1;
  }
  if (times > kMemoryBytesCeiling / piece_bytes) return luaL_error(lua, "resulting string too large");
  const size_t bytes = times * piece_bytes - separator_bytes;
  Budget::Of(lua).Charge(lua, times);
  Budget::Of(lua).ChargeBytes(lua, bytes);
  luaL_Buffer buffer;
  char* out = luaL_buffinitsize(lua, &buffer, bytes);
  for (size_t i = 0; i < times; ++i) {
    if (i > 0) out = std::copy_n(separator, separator_bytes, out);
    out = std::copy(text.begin(), text.end(), out);
  }
  luaL_pushresultsize(&buffer, bytes);
  return 1;
}

int StringSub(lua_State* lua) {
  const absl::string_view text = TextArgument(lua, 1);
  luaL_checkinteger(lua, 2);
  const auto [first, last] =
      RangeArguments(lua, 2, 1, -1, static_cast<lua_Integer>(text.size()));
  if (first > last) {
    lua_pushliteral(lua, "");
  } else {
    lua_pushlstring(lua, text.data() + first - 1, static_cast<size_t>(last - first + 1));
  }
  return 1;
}

}  // namespace

void PushStringLibrary(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"byte", StringByte},     {"char", StringChar}, {"find", StringFind},
      {"format", StringFormat}, {"gmatch", StringGmatch}, {"gsub", StringGsub},
      {"len", StringLen},       {"lower", StringLower}, {"match", StringMatch},
      {"rep", StringRep},       {"reverse", StringReverse}, {"sub", StringSub},
      {"upper", StringUpper},   {nullptr, nullptr}};
  luaL_newlib(lua, kFunctions);
  // So that ("x"):upper() works. A string does not turn into a number by itself: no arithmetic.
  lua_pushliteral(lua, "");
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
}

}  // namespace bdcsync::script
