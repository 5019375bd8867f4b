// Lua's patterns (manual, 6.4.1), with every step counted: `(.-)*x` on a long text takes longer
// than anyone waits, and Lua's own matcher runs where no hook is called. Internal to libs/script.
// Not thread-safe: works on a Lua state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <lua.hpp>

#include "absl/strings/string_view.h"

namespace bdcsync::script {

class Pattern {
 public:
  static constexpr int kCapturesMax = 32;
  static constexpr int kDepthMax = 200;  // Of what follows what, in one match.
  static constexpr size_t kPatternBytesMax = 1024;

  // `subject` and `pattern` are borrowed. Raises a Lua error for a pattern above the limit. All
  // methods raise one for a malformed pattern, and when the budget is used up.
  Pattern(lua_State* lua, absl::string_view subject, absl::string_view pattern);
  ~Pattern() = default;

  // Matches at `start`; nullptr: no match there. The end of the match otherwise.
  const char* MatchAt(const char* start);
  // Pushes the captures of the last match, or at most `count_max` of them; the whole match when the
  // pattern has none and `whole` is set. Returns how many.
  int PushCaptures(const char* start, const char* end, bool whole);
  // Pushes capture `index` from 0; the whole match for 0 when there are none.
  void PushCapture(int index, const char* start, const char* end);
  int captures() const { return level_; }
  const char* subject_begin() const { return subject_.data(); }
  const char* subject_end() const { return subject_.data() + subject_.size(); }

 private:
  enum class Kind { kOpen, kPosition, kText };
  struct Capture {
    const char* begin = nullptr;
    size_t bytes = 0;
    Kind kind = Kind::kOpen;
  };

  void Step();
  const char* Match(const char* s, const char* p);
  // One item of the pattern with what follows it (*, +, -, ?). Sets `s` and `p` to go on with and
  // returns true, or returns false with the result in `s`.
  bool MatchItem(const char*& s, const char*& p);
  bool MatchEscape(const char*& s, const char*& p, bool& handled);
  const char* MaxExpand(const char* s, const char* p, const char* item_end);
  const char* MinExpand(const char* s, const char* p, const char* item_end);
  const char* StartCapture(const char* s, const char* p, Kind kind);
  const char* EndCapture(const char* s, const char* p);
  const char* MatchBalance(const char* s, const char* p);
  const char* MatchBackReference(const char* s, char digit);
  bool SingleMatches(const char* s, const char* p, const char* item_end);
  bool SetMatches(unsigned char c, const char* p, const char* set_end);
  const char* ItemEnd(const char* p);
  int OpenCapture();

  lua_State* lua_;
  absl::string_view subject_;
  const char* pattern_begin_;
  const char* pattern_end_;
  int level_ = 0;
  int depth_ = 0;
  uint64_t steps_ = 0;
  std::array<Capture, kCapturesMax> captures_;
};

// Whether `c` is in the class that `letter` names after a %.
bool ClassMatches(unsigned char c, unsigned char letter);

}  // namespace bdcsync::script
