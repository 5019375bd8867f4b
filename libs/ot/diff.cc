#include "libs/ot/diff.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/errors.h"
#include "libs/json/sequence_match.h"
#include "libs/json/serialize.h"
#include "libs/ot/delta_reader.h"

namespace bdcsync::ot {
namespace {

constexpr uint32_t kCodePointMax = 0x10FFFF;
constexpr uint32_t kBasicPlaneMax = 0xFFFF;

// The character of valid UTF-8 that begins at `at`, which is moved behind it.
uint32_t NextPoint(const std::string& utf8, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(utf8[i]); };
  const uint32_t first = byte(at++);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  uint32_t point = first & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) point = (point << 6) | (byte(at++) & 0x3F);
  return point;
}

// Documents as numbers: characters are themselves, equal embeds have equal numbers above them.
class Numberer {
 public:
  std::vector<uint32_t> NumbersOf(const Delta& document) {
    std::vector<uint32_t> numbers;
    for (const Component& component : document.components()) {
      if (component.kind == Component::Kind::kEmbed) {
        numbers.push_back(NumberOf(component.embed));
        continue;
      }
      for (size_t at = 0; at < component.text.size();) {
        numbers.push_back(NextPoint(component.text, at));
      }
    }
    return numbers;
  }

 private:
  uint32_t NumberOf(const Embed& embed) {
    auto& alike = embeds_[json::HashOf(*embed)];
    for (const auto& [known, number] : alike) {
      if (SameEmbed(known, embed)) return number;
    }
    alike.emplace_back(embed, ++last_);
    return last_;
  }

  absl::flat_hash_map<uint64_t, std::vector<std::pair<Embed, uint32_t>>> embeds_;
  uint32_t last_ = kCodePointMax;
};

int64_t UnitsOf(const std::vector<uint32_t>& numbers, size_t begin, size_t end) {
  int64_t units = 0;
  for (size_t i = begin; i < end; ++i) {
    units += numbers[i] > kBasicPlaneMax && numbers[i] <= kCodePointMax ? 2 : 1;
  }
  return units;
}

// Boundaries of `numbers` are boundaries of characters, so nothing is ever cut.
class Writer {
 public:
  Writer(const Delta& from, const Delta& to) : from_(from), to_(to) {}

  void Insert(int64_t units) {
    while (units > 0) {
      const int64_t length = std::min(units, to_.length());
      to_.InsertInto(out_, length, to_.attributes());
      units -= length;
    }
  }
  void Delete(int64_t units) {
    out_.Delete(units);
    while (units > 0) {
      const int64_t length = std::min(units, from_.length());
      from_.SkipInsert(length);
      units -= length;
    }
  }
  void Keep(int64_t units) {
    while (units > 0) {
      const int64_t length = std::min({units, from_.length(), to_.length()});
      out_.Retain(length, Diff(from_.attributes(), to_.attributes()));
      from_.SkipInsert(length);
      to_.SkipInsert(length);
      units -= length;
    }
  }
  Delta Take() { return std::move(out_); }

 private:
  DeltaReader from_, to_;
  Delta out_;
};

}  // namespace

absl::StatusOr<Delta> Diff(const Delta& from, const Delta& to, size_t work_max) {
  if (!from.IsDocument() || !to.IsDocument()) {
    return MakeError(Reason::kInvalidArgument, "a document only inserts");
  }
  Numberer numberer;
  const std::vector<uint32_t> a = numberer.NumbersOf(from);
  const std::vector<uint32_t> b = numberer.NumbersOf(to);
  Writer writer(from, to);
  size_t in_a = 0, in_b = 0;
  const auto close = [&](size_t a_end, size_t b_end) {
    writer.Insert(UnitsOf(b, in_b, b_end));
    writer.Delete(UnitsOf(a, in_a, a_end));
  };
  for (const json::MatchedRun& run : json::MatchNumbers(a, b, work_max)) {
    close(run.a_begin, run.b_begin);
    in_a = run.a_begin + run.length;
    in_b = run.b_begin + run.length;
    writer.Keep(UnitsOf(a, run.a_begin, in_a));
  }
  close(a.size(), b.size());
  return writer.Take();
}

}  // namespace bdcsync::ot
