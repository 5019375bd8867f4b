#include "libs/script/pattern.h"

#include <cstring>

#include "absl/strings/ascii.h"
#include "libs/script/budget.h"

namespace bdcsync::script {
namespace {

constexpr uint64_t kStepsACharge = 32;

}  // namespace

bool ClassMatches(unsigned char c, unsigned char letter) {
  bool matches = false;
  switch (absl::ascii_tolower(letter)) {
    case 'a':
      matches = absl::ascii_isalpha(c);
      break;
    case 'c':
      matches = absl::ascii_iscntrl(c);
      break;
    case 'd':
      matches = absl::ascii_isdigit(c);
      break;
    case 'g':
      matches = absl::ascii_isgraph(c);
      break;
    case 'l':
      matches = absl::ascii_islower(c);
      break;
    case 'p':
      matches = absl::ascii_ispunct(c);
      break;
    case 's':
      matches = absl::ascii_isspace(c);
      break;
    case 'u':
      matches = absl::ascii_isupper(c);
      break;
    case 'w':
      matches = absl::ascii_isalnum(c);
      break;
    case 'x':
      matches = absl::ascii_isxdigit(c);
      break;
    default:
      return letter == c;
  }
  return absl::ascii_isupper(letter) ? !matches : matches;
}

Pattern::Pattern(lua_State* lua, absl::string_view subject, absl::string_view pattern)
    : lua_(lua),
      subject_(subject),
      pattern_begin_(pattern.data()),
      pattern_end_(pattern.data() + pattern.size()) {
  if (pattern.size() > kPatternBytesMax) {
    luaL_error(lua, "pattern longer than %d bytes", static_cast<int>(kPatternBytesMax));
  }
}

void Pattern::Step() {
  if (++steps_ % kStepsACharge != 0) return;
  Budget::Of(lua_).Charge(lua_, kStepsACharge);
}

const char* Pattern::MatchAt(const char* start) {
  level_ = 0;
  depth_ = 0;
  return Match(start, pattern_begin_);
}

const char* Pattern::Match(const char* s, const char* p) {
  if (++depth_ > kDepthMax) luaL_error(lua_, "pattern too complex");
  while (p != pattern_end_ && MatchItem(s, p)) {
  }
  --depth_;
  return s;
}

bool Pattern::MatchItem(const char*& s, const char*& p) {
  Step();
  switch (*p) {
    case '(': {
      const bool position = p + 1 != pattern_end_ && p[1] == ')';
      s = position ? StartCapture(s, p + 2, Kind::kPosition) : StartCapture(s, p + 1, Kind::kOpen);
      return false;
    }
    case ')':
      s = EndCapture(s, p + 1);
      return false;
    case '$':
      if (p + 1 != pattern_end_) break;
      if (s != subject_end()) s = nullptr;
      return false;
    case '%': {
      bool handled = false;
      const bool goes_on = MatchEscape(s, p, handled);
      if (handled) return goes_on;
      break;
    }
    default:
      break;
  }
  const char* const item_end = ItemEnd(p);
  const char suffix = item_end != pattern_end_ ? *item_end : '\0';
  if (suffix == '*') {
    s = MaxExpand(s, p, item_end);
    return false;
  }
  if (suffix == '-') {
    s = MinExpand(s, p, item_end);
    return false;
  }
  const bool matches = SingleMatches(s, p, item_end);
  if (suffix == '+') {
    s = matches ? MaxExpand(s + 1, p, item_end) : nullptr;
    return false;
  }
  if (suffix == '?') {
    if (matches) {
      if (const char* const end = Match(s + 1, item_end + 1)) {
        s = end;
        return false;
      }
    }
    p = item_end + 1;
    return true;
  }
  if (!matches) {
    s = nullptr;
    return false;
  }
  ++s;
  p = item_end;
  return true;
}

// %b, %f and %1 … %9, which are no single characters.
bool Pattern::MatchEscape(const char*& s, const char*& p, bool& handled) {
  if (p + 1 == pattern_end_) return false;  // ItemEnd() says what is wrong.
  handled = true;
  if (p[1] == 'b') {
    s = MatchBalance(s, p + 2);
    p += 4;
    return s != nullptr;
  }
  if (p[1] == 'f') {
    p += 2;
    if (p == pattern_end_ || *p != '[') luaL_error(lua_, "missing '[' after '%%f' in pattern");
    const char* const set_end = ItemEnd(p);
    const unsigned char before =
        s == subject_begin() ? '\0' : static_cast<unsigned char>(s[-1]);
    const unsigned char here = s == subject_end() ? '\0' : static_cast<unsigned char>(*s);
    const bool frontier = !SetMatches(before, p, set_end - 1) && SetMatches(here, p, set_end - 1);
    if (!frontier) s = nullptr;
    p = set_end;
    return frontier;
  }
  if (absl::ascii_isdigit(static_cast<unsigned char>(p[1]))) {
    s = MatchBackReference(s, p[1]);
    p += 2;
    return s != nullptr;
  }
  handled = false;
  return false;
}

const char* Pattern::MaxExpand(const char* s, const char* p, const char* item_end) {
  const char* last = s;
  while (SingleMatches(last, p, item_end)) {
    ++last;
    Step();
  }
  for (; last >= s; --last) {
    Step();
    if (const char* const end = Match(last, item_end + 1)) return end;
  }
  return nullptr;
}

const char* Pattern::MinExpand(const char* s, const char* p, const char* item_end) {
  while (true) {
    Step();
    if (const char* const end = Match(s, item_end + 1)) return end;
    if (!SingleMatches(s, p, item_end)) return nullptr;
    ++s;
  }
}

const char* Pattern::StartCapture(const char* s, const char* p, Kind kind) {
  if (level_ >= kCapturesMax) luaL_error(lua_, "too many captures");
  captures_[static_cast<size_t>(level_)] = {s, 0, kind};
  ++level_;
  const char* const end = Match(s, p);
  if (end == nullptr) --level_;
  return end;
}

const char* Pattern::EndCapture(const char* s, const char* p) {
  Capture& capture = captures_[static_cast<size_t>(OpenCapture())];
  capture.bytes = static_cast<size_t>(s - capture.begin);
  capture.kind = Kind::kText;
  const char* const end = Match(s, p);
  if (end == nullptr) capture.kind = Kind::kOpen;
  return end;
}

int Pattern::OpenCapture() {
  for (int level = level_ - 1; level >= 0; --level) {
    if (captures_[static_cast<size_t>(level)].kind == Kind::kOpen) return level;
  }
  return luaL_error(lua_, "invalid pattern capture");
}

const char* Pattern::MatchBalance(const char* s, const char* p) {
  if (pattern_end_ - p < 2) luaL_error(lua_, "missing arguments to '%%b'");
  if (s == subject_end() || *s != p[0]) return nullptr;
  size_t open = 1;
  while (++s != subject_end()) {
    Step();
    if (*s == p[1]) {
      if (--open == 0) return s + 1;
    } else if (*s == p[0]) {
      ++open;
    }
  }
  return nullptr;
}

const char* Pattern::MatchBackReference(const char* s, char digit) {
  const int index = digit - '1';
  if (index < 0 || index >= level_ ||
      captures_[static_cast<size_t>(index)].kind == Kind::kOpen) {
    luaL_error(lua_, "invalid capture index %%%d", index + 1);
  }
  const Capture& capture = captures_[static_cast<size_t>(index)];
  Budget::Of(lua_).ChargeBytes(lua_, capture.bytes);
  if (capture.kind == Kind::kPosition) return nullptr;
  if (static_cast<size_t>(subject_end() - s) < capture.bytes) return nullptr;
  if (std::memcmp(capture.begin, s, capture.bytes) != 0) return nullptr;
  return s + capture.bytes;
}

bool Pattern::SingleMatches(const char* s, const char* p, const char* item_end) {
  if (s == subject_end()) return false;
  const unsigned char c = static_cast<unsigned char>(*s);
  switch (*p) {
    case '.':
      return true;
    case '%':
      return ClassMatches(c, static_cast<unsigned char>(p[1]));
    case '[':
      return SetMatches(c, p, item_end - 1);
    default:
      return static_cast<unsigned char>(*p) == c;
  }
}

// `p` is at the [ and `set_end` at the ] of a set.
bool Pattern::SetMatches(unsigned char c, const char* p, const char* set_end) {
  bool inside = true;
  if (p[1] == '^') {
    inside = false;
    ++p;
  }
  while (++p < set_end) {
    Step();
    if (*p == '%') {
      ++p;
      if (ClassMatches(c, static_cast<unsigned char>(*p))) return inside;
    } else if (p[1] == '-' && p + 2 < set_end) {
      p += 2;
      if (static_cast<unsigned char>(p[-2]) <= c && c <= static_cast<unsigned char>(*p)) {
        return inside;
      }
    } else if (static_cast<unsigned char>(*p) == c) {
      return inside;
    }
  }
  return !inside;
}

// The end of the single character or set that begins at `p`.
const char* Pattern::ItemEnd(const char* p) {
  const char first = *p++;
  if (first == '%') {
    if (p == pattern_end_) luaL_error(lua_, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p != pattern_end_ && *p == '^') ++p;
  do {  // A ] that comes first is one of the set.
    Step();
    if (p == pattern_end_) luaL_error(lua_, "malformed pattern (missing ']')");
    if (*p++ == '%') {
      if (p == pattern_end_) luaL_error(lua_, "malformed pattern (missing ']')");
      ++p;
    }
  } while (p == pattern_end_ || *p != ']');
  return p + 1;
}

void Pattern::PushCapture(int index, const char* start, const char* end) {
  if (index >= level_) {
    if (index != 0) luaL_error(lua_, "invalid capture index %%%d", index + 1);
    lua_pushlstring(lua_, start, static_cast<size_t>(end - start));
    return;
  }
  const Capture& capture = captures_[static_cast<size_t>(index)];
  if (capture.kind == Kind::kOpen) luaL_error(lua_, "unfinished capture");
  if (capture.kind == Kind::kPosition) {
    lua_pushinteger(lua_, capture.begin - subject_begin() + 1);
  } else {
    lua_pushlstring(lua_, capture.begin, capture.bytes);
  }
}

int Pattern::PushCaptures(const char* start, const char* end, bool whole) {
  const int count = level_ == 0 && whole ? 1 : level_;
  luaL_checkstack(lua_, count, "too many captures");
  for (int i = 0; i < count; ++i) PushCapture(i, start, end);
  return count;
}

}  // namespace bdcsync::script
