#include "libs/script/result.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/script/budget.h"
#include "libs/script/exact_number.h"
#include "libs/script/failure.h"
#include "libs/script/utf8.h"

namespace bdcsync::script {
namespace {

constexpr int kSlotsALevel = 8;
constexpr size_t kKeywordBytesMax = 5;  // null, true, false.
constexpr uint64_t kStepsAValue = 4;

class Reader {
 public:
  Reader(lua_State* lua, const Digits& digits, const Limits& limits)
      : lua_(lua), digits_(digits), limits_(limits) {}

  absl::StatusOr<json::Value> Read(int index);

 private:
  // What a table is: its number of members and whether they are 1, 2, 3 …
  struct Shape {
    size_t size = 0;
    bool only_strings = true;
    bool only_indices = true;
  };

  absl::StatusOr<json::Value> ReadNumber(int index);
  absl::StatusOr<json::Value> ReadString(int index);
  absl::StatusOr<json::Value> ReadTable(int index);
  absl::StatusOr<json::Value> ReadArray(int index, size_t size);
  absl::StatusOr<json::Value> ReadObject(int index, size_t size);
  // Reads the value at the top of the stack as the member whose key is `token`, and pops it.
  template <typename Token>
  absl::StatusOr<json::Value> ReadMember(Token token);
  // The digits of the member whose key is below its value, the top of the stack, if it has others.
  std::optional<json::Value> OtherDigits();
  Shape ShapeOf(int index);
  absl::StatusOr<json::Value> Counted(json::Value value, size_t bytes);
  absl::Status Grow(size_t bytes);
  absl::Status Wrong(absl::string_view message) const {
    return MakeFailure(Failure::kResult, absl::StrCat("the value at ", Place(), " ", message),
                       path_);
  }
  std::string Place() const { return path_.empty() ? "its root" : absl::StrCat("'", path_, "'"); }

  lua_State* lua_;
  const Digits& digits_;
  const Limits& limits_;
  size_t bytes_ = 0;
  size_t depth_ = 0;
  std::string path_;
};

absl::Status Reader::Grow(size_t bytes) {
  bytes_ += bytes;
  Budget::Of(lua_).ChargeBytes(lua_, bytes);
  if (bytes_ <= limits_.output_bytes_max) return absl::OkStatus();
  return MakeFailure(Failure::kOutput, absl::StrCat("the result has more than ",
                                                    limits_.output_bytes_max, " bytes as JSON"));
}

absl::StatusOr<json::Value> Reader::Counted(json::Value value, size_t bytes) {
  RETURN_IF_ERROR(Grow(bytes));
  return value;
}

absl::StatusOr<json::Value> Reader::Read(int index) {
  Budget::Of(lua_).Charge(lua_, kStepsAValue);
  switch (lua_type(lua_, index)) {
    case LUA_TBOOLEAN: {
      const bool boolean = lua_toboolean(lua_, index) != 0;
      return Counted(boolean, boolean ? kKeywordBytesMax - 1 : kKeywordBytesMax);
    }
    case LUA_TNUMBER:
      return ReadNumber(index);
    case LUA_TSTRING:
      return ReadString(index);
    case LUA_TTABLE:
      return ReadTable(index);
    case LUA_TLIGHTUSERDATA:
      return Counted(nullptr, kKeywordBytesMax - 1);
    case LUA_TUSERDATA: {
      const absl::string_view text = ExactNumberAt(lua_, index).value_or("0");
      return Counted(json::Value(json::NumberText{text}), text.size());
    }
    default:
      return Wrong(absl::StrCat("is a ", luaL_typename(lua_, index), ", which JSON has not"));
  }
}

absl::StatusOr<json::Value> Reader::ReadNumber(int index) {
  json::Value value;
  if (lua_isinteger(lua_, index) != 0) {
    value = json::Value(static_cast<int64_t>(lua_tointeger(lua_, index)));
  } else {
    const double number = lua_tonumber(lua_, index);
    const std::optional<json::Value> written = json::Value::FromDouble(number);
    if (!written.has_value()) return Wrong("is infinite or not a number");
    const std::string* const digits = digits_.Find(number);
    value = digits != nullptr ? json::Value(json::NumberText{*digits}) : *written;
  }
  const size_t bytes = value.number_text().size();
  return Counted(std::move(value), bytes);
}

absl::StatusOr<json::Value> Reader::ReadString(int index) {
  size_t bytes = 0;
  const char* const data = lua_tolstring(lua_, index, &bytes);
  const absl::string_view text(data, bytes);
  RETURN_IF_ERROR(Grow(json::QuotedSize(text)));
  if (!IsValidUtf8(text)) return Wrong("is a string that is not valid UTF-8");
  return json::Value(text);
}

Reader::Shape Reader::ShapeOf(int index) {
  Shape shape;
  lua_Integer largest = 0;
  lua_pushnil(lua_);
  while (lua_next(lua_, index) != 0) {
    lua_pop(lua_, 1);
    Budget::Of(lua_).Charge(lua_, 1);
    ++shape.size;
    if (lua_type(lua_, -1) != LUA_TSTRING) shape.only_strings = false;
    const lua_Integer key = lua_isinteger(lua_, -1) != 0 ? lua_tointeger(lua_, -1) : 0;
    if (key < 1) shape.only_indices = false;
    largest = std::max(largest, key);
  }
  // As many different indices as the largest of them are all up to it.
  if (static_cast<lua_Unsigned>(largest) != shape.size) shape.only_indices = false;
  return shape;
}

absl::StatusOr<json::Value> Reader::ReadTable(int index) {
  luaL_checkstack(lua_, kSlotsALevel, nullptr);
  const int table = lua_absindex(lua_, index);
  if (depth_ == limits_.depth_max) {
    return MakeTooDeep(
        absl::StrCat("the result nests more than ", limits_.depth_max, " deep, or holds itself"),
        path_);
  }
  const Shape shape = ShapeOf(table);
  const bool marked = IsMarkedArray(lua_, table);
  const bool array = marked || (shape.size > 0 && shape.only_indices);
  if (marked && !shape.only_indices) {
    return Wrong("is an array with holes or with keys other than 1, 2, 3 ...");
  }
  if (!array && !shape.only_strings) {
    return Wrong("is neither an object (keys are strings) nor an array (keys are 1, 2, 3 ...)");
  }
  // Brackets and commas; an object also has colons.
  const size_t commas = shape.size > 1 ? shape.size - 1 : 0;
  RETURN_IF_ERROR(Grow(2 + commas + (array ? 0 : shape.size)));
  ++depth_;
  absl::StatusOr<json::Value> value =
      array ? ReadArray(table, shape.size) : ReadObject(table, shape.size);
  --depth_;
  return value;
}

std::optional<json::Value> Reader::OtherDigits() {
  const int value = lua_gettop(lua_);
  const int other_digits = value - 2;
  if (lua_type(lua_, other_digits) != LUA_TTABLE || lua_type(lua_, value) != LUA_TNUMBER ||
      lua_isinteger(lua_, value) != 0) {
    return std::nullopt;
  }
  lua_pushvalue(lua_, value - 1);
  lua_rawget(lua_, other_digits);
  size_t bytes = 0;
  const char* const text = lua_tolstring(lua_, -1, &bytes);
  std::optional<json::Value> number;
  if (text != nullptr) number = json::Value(json::NumberText{absl::string_view(text, bytes)});
  lua_pop(lua_, 1);
  // The script may have put another number there.
  if (number.has_value() && json::Value::FromDouble(lua_tonumber(lua_, value)) != *number) {
    return std::nullopt;
  }
  return number;
}

// The stack, from the top: the value, its key, the table of other digits or nil. Pops the value.
template <typename Token>
absl::StatusOr<json::Value> Reader::ReadMember(Token token) {
  const size_t path_bytes = path_.size();
  json::AppendToken(token, path_);
  absl::StatusOr<json::Value> value;
  if (std::optional<json::Value> number = OtherDigits(); number.has_value()) {
    const size_t bytes = number->number_text().size();
    value = Counted(*std::move(number), bytes);
  } else {
    value = Read(-1);
  }
  path_.resize(path_bytes);
  lua_pop(lua_, 1);
  return value;
}

absl::StatusOr<json::Value> Reader::ReadArray(int index, size_t size) {
  json::Array array;
  array.reserve(size);
  PushOtherDigits(lua_, index);
  for (size_t i = 0; i < size; ++i) {
    lua_pushinteger(lua_, static_cast<lua_Integer>(i) + 1);
    lua_rawgeti(lua_, index, static_cast<lua_Integer>(i) + 1);
    ASSIGN_OR_RETURN(json::Value element, ReadMember(i));
    array.push_back(std::move(element));
    lua_pop(lua_, 1);
  }
  lua_pop(lua_, 1);
  return json::Value(std::move(array));
}

absl::StatusOr<json::Value> Reader::ReadObject(int index, size_t size) {
  std::vector<absl::string_view> keys;  // Lua keeps them while the table does.
  keys.reserve(size);
  lua_pushnil(lua_);
  while (lua_next(lua_, index) != 0) {
    lua_pop(lua_, 1);
    size_t bytes = 0;
    const char* const data = lua_tolstring(lua_, -1, &bytes);
    keys.emplace_back(data, bytes);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<json::Member> members;
  members.reserve(size);
  PushOtherDigits(lua_, index);
  for (const absl::string_view key : keys) {
    RETURN_IF_ERROR(Grow(json::QuotedSize(key)));
    if (!IsValidUtf8(key)) return Wrong("has a key that is not valid UTF-8");
    lua_pushlstring(lua_, key.data(), key.size());
    lua_pushvalue(lua_, -1);
    lua_rawget(lua_, index);
    ASSIGN_OR_RETURN(json::Value value, ReadMember(key));
    members.push_back({std::string(key), std::move(value)});
    lua_pop(lua_, 1);
  }
  lua_pop(lua_, 1);
  return json::Value(json::Object(std::move(members)));
}

}  // namespace

absl::StatusOr<json::Value> ReadResult(lua_State* lua, int index, const Digits& digits,
                                       const Limits& limits) {
  const int top = lua_gettop(lua);
  absl::StatusOr<json::Value> value = Reader(lua, digits, limits).Read(lua_absindex(lua, index));
  lua_settop(lua, top);
  return value;
}

}  // namespace bdcsync::script
