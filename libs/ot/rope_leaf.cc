#include "libs/ot/rope_leaf.h"

#include <algorithm>
#include <iterator>

namespace bdcsync::ot {
namespace {

bool Alike(const Run& a, const Run& b) {
  return !a.embed && !b.embed && a.attributes == b.attributes;
}
bool OneByteAUnit(const TextSize& size) { return size.bytes == size.units; }

}  // namespace

bool RopeLeaf::FitsBeside(const RopeLeaf& other) const {
  constexpr size_t kBytes = kBytesMax / 4 * 3;
  constexpr size_t kRuns = kRunsMax / 4 * 3;
  return text_.size() + other.text_.size() <= kBytes && runs_.size() + other.runs_.size() <= kRuns;
}

size_t RopeLeaf::ByteIn(const Run& run, size_t run_byte, int64_t unit) const {
  if (run.embed) return run_byte;
  if (unit == run.size.units) return run_byte + static_cast<size_t>(run.size.bytes);
  if (OneByteAUnit(run.size)) return run_byte + static_cast<size_t>(unit);
  const absl::string_view text(text_.data() + run_byte, static_cast<size_t>(run.size.bytes));
  return run_byte + ByteOfUnit(text, unit).value_or(text.size());
}

RopeLeaf::Spot RopeLeaf::Find(int64_t unit) const {
  Spot spot{0, unit, 0};
  while (spot.run < runs_.size() && spot.unit > runs_[spot.run].size.units) {
    spot.unit -= runs_[spot.run].size.units;
    spot.byte += static_cast<size_t>(runs_[spot.run].size.bytes);
    ++spot.run;
  }
  if (spot.run < runs_.size()) spot.byte = ByteIn(runs_[spot.run], spot.byte, spot.unit);
  return spot;
}

bool RopeLeaf::IsBoundary(int64_t unit) const {
  size_t byte = 0;
  for (const Run& run : runs_) {
    if (unit <= run.size.units) {
      if (unit == run.size.units || run.size.units == run.size.points) return true;
      const absl::string_view text(text_.data() + byte, static_cast<size_t>(run.size.bytes));
      return ByteOfUnit(text, unit).has_value();
    }
    unit -= run.size.units;
    byte += static_cast<size_t>(run.size.bytes);
  }
  return unit == 0;
}

TextSize RopeLeaf::SizeBefore(const Run& run, size_t run_byte, const Spot& spot) const {
  const auto bytes = static_cast<int64_t>(spot.byte - run_byte);
  if (OneByteAUnit(run.size)) return {bytes, bytes, bytes};
  return SizeOf(absl::string_view(text_.data() + run_byte, static_cast<size_t>(bytes)));
}

size_t RopeLeaf::Cut(const Spot& spot) {
  if (spot.run == runs_.size() || spot.unit == 0) return spot.run;
  Run& run = runs_[spot.run];
  if (spot.unit == run.size.units) return spot.run + 1;
  size_t run_byte = 0;
  for (size_t i = 0; i < spot.run; ++i) run_byte += static_cast<size_t>(runs_[i].size.bytes);
  Run front = run;
  front.size = SizeBefore(run, run_byte, spot);
  run.size -= front.size;
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(spot.run), std::move(front));
  return spot.run + 1;
}

void RopeLeaf::Join(size_t run) {
  if (run == 0 || run >= runs_.size() || !Alike(runs_[run - 1], runs_[run])) return;
  runs_[run - 1].size += runs_[run].size;
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(run));
}

void RopeLeaf::Insert(int64_t unit, const Piece& piece) {
  const Spot spot = Find(unit);
  text_.insert(spot.byte, piece.text.data(), piece.text.size());
  size_ += piece.size;
  const auto takes = [&](size_t run) {
    return run < runs_.size() && !piece.embed && !runs_[run].embed &&
           runs_[run].attributes == piece.attributes;
  };
  if (takes(spot.run)) {
    runs_[spot.run].size += piece.size;
    return;
  }
  const bool at_end = spot.run < runs_.size() && spot.unit == runs_[spot.run].size.units;
  if (at_end && takes(spot.run + 1)) {
    runs_[spot.run + 1].size += piece.size;
    return;
  }
  const size_t place = Cut(spot);  // Looks at what is before the spot only.
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(place),
               Run{piece.size, piece.attributes, piece.embed});
}

TextSize RopeLeaf::Erase(int64_t unit, int64_t units) {
  const Spot begin = Find(unit);
  const Spot end = Find(unit + units);
  TextSize erased{static_cast<int64_t>(end.byte - begin.byte), units, units};
  if (begin.run == end.run && begin.run < runs_.size() && !runs_[begin.run].embed) {
    // Within one run, and not all of it: what typing does.
    Run& run = runs_[begin.run];
    if (!OneByteAUnit(run.size)) {
      erased = SizeOf(absl::string_view(text_).substr(begin.byte, end.byte - begin.byte));
    }
    if (erased.units < run.size.units) {
      run.size -= erased;
      size_ -= erased;
      text_.erase(begin.byte, end.byte - begin.byte);
      return erased;
    }
  }
  const size_t first = Cut(begin);
  const size_t last = Cut(Find(unit + units));
  erased = {};
  for (size_t i = first; i < last; ++i) erased += runs_[i].size;
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(first),
              runs_.begin() + static_cast<std::ptrdiff_t>(last));
  text_.erase(begin.byte, end.byte - begin.byte);
  size_ -= erased;
  Join(first);
  return erased;
}

void RopeLeaf::Format(int64_t unit, int64_t units, const Attributes& change) {
  const size_t first = Cut(Find(unit));
  const size_t last = Cut(Find(unit + units));
  for (size_t i = first; i < last; ++i) {
    runs_[i].attributes = Compose(runs_[i].attributes, change, Nulls::kDrop);
  }
  for (size_t i = last + 1; i-- > first;) Join(i);
}

void RopeLeaf::AddTo(Delta& out, int64_t unit, int64_t units) const {
  size_t byte = 0;
  for (const Run& run : runs_) {
    if (units == 0) return;
    if (unit >= run.size.units) {
      unit -= run.size.units;
    } else if (run.embed) {
      out.InsertEmbed(run.embed, run.attributes);
      --units;
    } else {
      const int64_t taken = std::min(units, run.size.units - unit);
      const size_t begin = ByteIn(run, byte, unit);
      const size_t end = ByteIn(run, byte, unit + taken);
      out.InsertText(text().substr(begin, end - begin), taken, run.attributes);
      units -= taken;
      unit = 0;
    }
    byte += static_cast<size_t>(run.size.bytes);
  }
}

void RopeLeaf::SplitTo(RopeLeaf& behind) {
  Spot spot;
  if (runs_.size() > kRunsMax) {
    spot.run = runs_.size() / 2;
    for (size_t i = 0; i < spot.run; ++i) spot.byte += static_cast<size_t>(runs_[i].size.bytes);
  } else {
    size_t half = text_.size() / 2;
    while ((static_cast<uint8_t>(text_[half]) & 0xC0) == 0x80) --half;
    size_t run_byte = 0;
    while (run_byte + static_cast<size_t>(runs_[spot.run].size.bytes) < half) {
      run_byte += static_cast<size_t>(runs_[spot.run++].size.bytes);
    }
    spot.byte = half;
    spot.unit = SizeBefore(runs_[spot.run], run_byte, spot).units;
  }
  const size_t first = Cut(spot);
  const auto begin = runs_.begin() + static_cast<std::ptrdiff_t>(first);
  behind.runs_.assign(std::make_move_iterator(begin), std::make_move_iterator(runs_.end()));
  runs_.erase(begin, runs_.end());
  behind.text_.assign(text_, spot.byte);
  text_.resize(spot.byte);
  for (const Run& run : behind.runs_) behind.size_ += run.size;
  size_ -= behind.size_;
}

void RopeLeaf::Append(RopeLeaf& behind) {
  const size_t seam = runs_.size();
  text_ += behind.text_;
  for (Run& run : behind.runs_) runs_.push_back(std::move(run));
  size_ += behind.size_;
  Join(seam);
}

}  // namespace bdcsync::ot
