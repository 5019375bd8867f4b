#include "libs/json/text_parser.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/landmark_search.h"
#include "libs/json/string_reader.h"
#include "libs/json/text_scan.h"

namespace bdcsync::json {
namespace {

constexpr int32_t kExponentTextMax = INT32_MAX;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What was read and not yet taken by the container around it. Kept between calls.
struct Scratch {
  static constexpr size_t kKeptEntriesMax = 4096;

  std::vector<Value> values;
  std::vector<absl::string_view> keys;  // In the text, or in `decoded`.
  std::deque<std::string> decoded;
  std::string text;
  // The keys of the last small object whose keys were looked at, all different and as they stand
  // in the text: records of a list mostly have the same.
  std::vector<absl::string_view> last_keys;

  void Clear() {
    values.clear();
    keys.clear();
    decoded.clear();
    last_keys.clear();
    if (values.capacity() > kKeptEntriesMax || text.capacity() > kKeptEntriesMax) *this = {};
  }
};

// Sets of keys are kept as bits by this hash: two keys of one bit may be one.
uint64_t BitOf(absl::string_view key) {
  if (key.empty()) return 1;
  const auto at = [&key](size_t i) { return uint64_t{static_cast<unsigned char>(key[i])}; };
  const uint64_t hash =
      key.size() | at(0) << 8 | at(key.size() / 2) << 16 | at(key.size() - 1) << 24;
  return uint64_t{1} << (hash * 0x9e3779b97f4a7c15u >> 58);
}

bool AllDiffer(const absl::string_view* keys, size_t count) {
  uint64_t seen = 0;
  bool differ = true;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bit = BitOf(keys[i]);
    differ = differ && (seen & bit) == 0;
    seen |= bit;
  }
  for (size_t i = 1; !differ && i < count; ++i) {
    if (std::find(keys, keys + i, keys[i]) != keys + i) return false;
  }
  return true;
}

// Reads by recursion. Where it stands goes through arguments and results, not through a member:
// every step needs the last one's, and a register has it sooner than memory.
class TextParser {
 public:
  TextParser(absl::string_view text, size_t depth_max, Scratch& scratch, Landmarks* noted,
             const Landmarks* beside)
      : begin_(text.data()),
        end_(begin_ + text.size()),
        depth_max_(depth_max),
        scratch_(scratch),
        noted_(noted),
        search_(beside) {}

  absl::StatusOr<Value> Run() {
    const char* at = ReadValue(begin_, 0);
    if (at != nullptr) at = SkipSpace(at);
    if (at == nullptr || at < end_) return Error(at);
    return std::move(scratch_.values.back());
  }

 private:
  // All of them begin at `at`, leave what they read in scratch_ and return where it ends, or
  // nullptr with the fault told.
  const char* ReadValue(const char* at, size_t depth);
  ABSL_ATTRIBUTE_NOINLINE const char* ReadContainer(const char* at, size_t depth);
  const char* ReadMembers(const char* at, size_t depth);
  const char* ReadElements(const char* at, size_t depth);
  // And the colon behind it. `position`: how many members come before it. Takes `as_last` back when
  // it is not the key that the last object had there.
  const char* ReadKey(const char* at, size_t position, bool& as_last);
  const char* ReadString(const char* at);
  const char* ReadNumber(const char* at);
  const char* ReadExponent(const char* at);
  const char* ReadWord(const char* at, absl::string_view word, Value value);

  void NoteLandmark(size_t index, const char* end, size_t height);
  void TakeElements(size_t first);
  // `differ`: the keys are known to.
  void TakeMembers(size_t first_value, size_t first_key, bool differ);

  const char* Fail(const char* at, absl::string_view what) {
    fault_ = {at, what};
    return nullptr;
  }
  const char* FailSyntax(const char* at) {
    return Fail(at, at == end_ ? "incomplete JSON" : "syntax error");
  }
  // `behind`: where text stands after the value.
  absl::Status Error(const char* behind) const;
  bool Is(const char* at, char c) const { return at < end_ && *at == c; }
  const char* SkipSpace(const char* at) const {
    while (at < end_ && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
    return at;
  }
  const char* SkipDigits(const char* at) {
    if (at == end_ || !IsDigit(*at)) return FailSyntax(at);
    while (at < end_ && IsDigit(*at)) ++at;
    return at;
  }

  const char* const begin_;
  const char* const end_;
  const size_t depth_max_;
  Scratch& scratch_;
  Landmarks* const noted_;
  LandmarkSearch search_;
  size_t deepest_ = 0;  // How deep containers went since the one around began.
  bool too_deep_ = false;
  bool dropped_member_ = false;   // The object just read had a key twice.
  size_t objects_looked_at_ = 0;  // For their keys: how often scratch_.last_keys has changed.
  StringFault fault_;
};

absl::Status TextParser::Error(const char* behind) const {
  const auto byte = static_cast<size_t>((behind != nullptr ? behind : fault_.at) - begin_);
  if (too_deep_) {
    return MakeError(Reason::kTooDeep,
                     absl::StrCat("nested deeper than ", depth_max_, " levels at byte ", byte));
  }
  const absl::string_view what =
      behind != nullptr ? absl::string_view("text after the value") : fault_.what;
  return MakeError(Reason::kBadMessage, absl::StrCat("not JSON at byte ", byte, ": ", what));
}

inline const char* TextParser::ReadValue(const char* at, size_t depth) {
  at = SkipSpace(at);
  if (at == end_) return FailSyntax(at);
  switch (*at) {
    case '"':
      return ReadString(at);
    case '{':
    case '[':
      return ReadContainer(at, depth);
    case 't':
      return ReadWord(at, "true", true);
    case 'f':
      return ReadWord(at, "false", false);
    case 'n':
      return ReadWord(at, "null", nullptr);
    default:
      return ReadNumber(at);
  }
}

const char* TextParser::ReadWord(const char* at, absl::string_view word, Value value) {
  for (const char c : word) {
    if (!Is(at, c)) return FailSyntax(at);
    ++at;
  }
  scratch_.values.push_back(std::move(value));
  return at;
}

const char* TextParser::ReadContainer(const char* at, size_t depth) {
  if (depth == depth_max_) {
    too_deep_ = true;
    return Fail(at, "");
  }
  const Landmark* const same =
      search_.active() ? search_.Find(at, end_, depth_max_ - depth) : nullptr;
  if (same != nullptr) {
    scratch_.values.push_back(same->container.Share());
    return at + same->size;
  }
  LandmarkSearch::Window around;
  if (search_.active()) around = search_.Enter();
  const size_t deepest_around = std::exchange(deepest_, depth + 1);
  const size_t index = noted_ != nullptr ? noted_->size() : 0;
  if (noted_ != nullptr) noted_->emplace_back().begin = at;
  at = *at == '{' ? ReadMembers(at, depth + 1) : ReadElements(at, depth + 1);
  if (at == nullptr) return nullptr;
  if (noted_ != nullptr) {
    // What a later member of the same key replaced is gone: no landmark inside may name it.
    if (std::exchange(dropped_member_, false)) noted_->resize(index + 1);
    NoteLandmark(index, at, deepest_ - depth);
  }
  deepest_ = std::max(deepest_, deepest_around);
  if (search_.active()) search_.Leave(around);
  return at;
}

void TextParser::NoteLandmark(size_t index, const char* end, size_t height) {
  Landmark& landmark = (*noted_)[index];
  landmark.size = static_cast<size_t>(end - landmark.begin);
  landmark.behind = noted_->size();
  landmark.height = height;
  landmark.container = ContainerName(scratch_.values.back());
  const bool alone = landmark.behind == index + 1;
  if (alone && landmark.size < kLandmarkBytesMin) noted_->pop_back();
}

const char* TextParser::ReadElements(const char* at, size_t depth) {
  const size_t first = scratch_.values.size();
  at = SkipSpace(at + 1);
  if (!Is(at, ']')) {
    while (true) {
      at = ReadValue(at, depth);
      if (at == nullptr) return nullptr;
      at = SkipSpace(at);
      if (!Is(at, ',')) break;
      ++at;
    }
    if (!Is(at, ']')) return FailSyntax(at);
  }
  TakeElements(first);
  return at + 1;
}

const char* TextParser::ReadMembers(const char* at, size_t depth) {
  const size_t first_value = scratch_.values.size();
  const size_t first_key = scratch_.keys.size();
  const size_t looked_at = objects_looked_at_;
  bool as_last = true;
  at = SkipSpace(at + 1);
  if (!Is(at, '}')) {
    while (true) {
      at = ReadKey(at, scratch_.keys.size() - first_key, as_last);
      if (at == nullptr) return nullptr;
      at = ReadValue(at, depth);
      if (at == nullptr) return nullptr;
      at = SkipSpace(at);
      if (!Is(at, ',')) break;
      at = SkipSpace(at + 1);
    }
    if (!Is(at, '}')) return FailSyntax(at);
  }
  TakeMembers(first_value, first_key, as_last && looked_at == objects_looked_at_);
  return at + 1;
}

inline const char* TextParser::ReadKey(const char* at, size_t position, bool& as_last) {
  if (!Is(at, '"')) return FailSyntax(at);
  if (position < scratch_.last_keys.size()) {
    const absl::string_view last = scratch_.last_keys[position];
    const size_t size = last.size() + 2;  // With its quotes.
    if (static_cast<size_t>(end_ - at) > size && at[size - 1] == '"' && at[size] == ':' &&
        SameBytes(at + 1, last.data(), last.size())) {
      scratch_.keys.emplace_back(last.data(), last.size());
      return at + size + 1;
    }
  }
  as_last = false;
  const QuotedText key = ReadQuoted(at, end_, scratch_.text, fault_);
  if (key.behind == nullptr) return nullptr;
  if (key.data == scratch_.text.data()) {
    scratch_.decoded.push_back(std::exchange(scratch_.text, {}));
    scratch_.keys.emplace_back(scratch_.decoded.back());
  } else {
    scratch_.keys.emplace_back(key.data, key.size);
  }
  at = SkipSpace(key.behind);
  return Is(at, ':') ? at + 1 : FailSyntax(at);
}

inline const char* TextParser::ReadString(const char* at) {
  const QuotedText text = ReadQuoted(at, end_, scratch_.text, fault_);
  if (text.behind == nullptr) return nullptr;
  scratch_.values.emplace_back(absl::string_view(text.data, text.size));
  return text.behind;
}

const char* TextParser::ReadNumber(const char* at) {
  const char* const begin = at;
  if (Is(at, '-')) ++at;
  at = Is(at, '0') ? at + 1 : SkipDigits(at);
  if (at != nullptr && Is(at, '.')) at = SkipDigits(at + 1);
  if (at != nullptr && (Is(at, 'e') || Is(at, 'E'))) at = ReadExponent(at);
  if (at == nullptr) return nullptr;
  scratch_.values.emplace_back(NumberText{{begin, static_cast<size_t>(at - begin)}});
  return at;
}

const char* TextParser::ReadExponent(const char* at) {
  ++at;
  if (Is(at, '-') || Is(at, '+')) ++at;
  const char* const end = SkipDigits(at);
  if (end == nullptr) return nullptr;
  int64_t exponent = 0;
  for (; at < end; ++at) {
    exponent = exponent * 10 + (*at - '0');
    if (exponent > kExponentTextMax) return Fail(at, "exponent overflow");
  }
  return end;
}

void TextParser::TakeElements(size_t first) {
  std::vector<Value>& values = scratch_.values;
  Value array{Array()};
  Array& elements = array.array();
  elements.reserve(values.size() - first);
  for (size_t i = first; i < values.size(); ++i) elements.push_back(std::move(values[i]));
  values.resize(first);
  values.push_back(std::move(array));
}

void TextParser::TakeMembers(size_t first_value, size_t first_key, bool differ) {
  std::vector<Value>& values = scratch_.values;
  const absl::string_view* const keys = scratch_.keys.data() + first_key;
  const size_t count = scratch_.keys.size() - first_key;
  Value object{Object()};
  if (!differ && count <= Object::kScanMembersMax && AllDiffer(keys, count)) {
    if (scratch_.decoded.empty()) scratch_.last_keys.assign(keys, keys + count);
    ++objects_looked_at_;
    differ = true;
  }
  if (differ) {
    Object& members = object.object();
    members.Reserve(count);
    for (size_t i = 0; i < count; ++i) {
      members.AddNew(keys[i], std::move(values[first_value + i]));
    }
  } else {
    std::vector<Member> members;
    members.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      members.emplace_back(keys[i], std::move(values[first_value + i]));
    }
    object.object() = Object(std::move(members));
    dropped_member_ = object.object().size() < count;
  }
  scratch_.keys.resize(first_key);
  values.resize(first_value);
  values.push_back(std::move(object));
}

}  // namespace

absl::StatusOr<Value> ParseText(absl::string_view text, const ParseLimits& limits, Landmarks* noted,
                                const Landmarks* beside) {
  if (text.size() > limits.bytes_max) {
    return MakeError(Reason::kTooLarge,
                     absl::StrCat("more than ", limits.bytes_max, " bytes: limit passed at byte ",
                                  limits.bytes_max));
  }
  // One per thread, so that a message costs no allocation for it; it holds nothing between calls.
  thread_local Scratch scratch;
  absl::StatusOr<Value> value =
      TextParser(text, std::min(limits.depth_max, kDepthCeiling), scratch, noted, beside).Run();
  scratch.Clear();
  return value;
}

}  // namespace bdcsync::json
