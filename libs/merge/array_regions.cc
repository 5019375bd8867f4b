#include "libs/merge/array_regions.h"

#include <algorithm>

namespace bdcsync::merge {
namespace {

using json::ChangedRun;

// The changes of one side, in order, and how far they have been used.
class SideChanges {
 public:
  SideChanges(const json::Array& base, const json::Array& side, size_t work_max, size_t& used)
      : changes_(json::ChangesBetween(
            base, side,
            json::MatchSequences(base, side, json::ElementEquality::kEqual, work_max, &used))) {}

  const ChangedRun* next() const { return used_ < changes_.size() ? &changes_[used_] : nullptr; }
  bool NextOverlaps(const Part& base) const {
    if (next() == nullptr) return false;
    const size_t begin = std::max(base.begin, next()->a_begin);
    const size_t end = std::min(base.end, next()->a_end);
    const bool next_inserts = next()->a_begin == next()->a_end;
    if (base.size() == 0 && next_inserts) return base.begin == next()->a_begin;
    if (base.size() == 0) return next()->a_begin < base.begin && base.begin < next()->a_end;
    if (next_inserts) return base.begin < next()->a_begin && next()->a_begin < base.end;
    return begin < end;
  }
  // Uses the next change: it becomes part of the region that begins where the side stands.
  void Use() {
    const ChangedRun& change = changes_[used_++];
    growth_ += change.b_end - change.b_begin;
    growth_ -= change.a_end - change.a_begin;
  }
  // The side's elements for a stretch of `base_size` elements, with the changes used since.
  Part Advance(size_t base_size) {
    const Part part{position_, position_ + base_size + growth_};
    position_ = part.end;
    growth_ = 0;
    return part;
  }

 private:
  const std::vector<ChangedRun> changes_;
  size_t used_ = 0;
  size_t position_ = 0;
  size_t growth_ = 0;  // May wrap below zero: it is only added.
};

// Whether `a` comes before `b`; of two that begin together, an insertion does.
bool Before(const ChangedRun& a, const ChangedRun& b) {
  return a.a_begin != b.a_begin ? a.a_begin < b.a_begin : a.a_end < b.a_end;
}

// The region that starts with the next change of either side. One must be left.
ArrayRegion NextChanged(SideChanges& theirs, SideChanges& ours) {
  ArrayRegion region;
  const ChangedRun* first = theirs.next();
  if (first == nullptr || (ours.next() != nullptr && Before(*ours.next(), *first))) {
    first = ours.next();
  }
  region.base = {first->a_begin, first->a_end};
  const auto take = [&region](SideChanges& side, bool& changed) {
    region.base.end = std::max(region.base.end, side.next()->a_end);
    side.Use();
    changed = true;
  };
  if (first == theirs.next()) {
    take(theirs, region.theirs_changed);
  } else {
    take(ours, region.ours_changed);
  }
  while (true) {
    if (theirs.NextOverlaps(region.base)) {
      take(theirs, region.theirs_changed);
    } else if (ours.NextOverlaps(region.base)) {
      take(ours, region.ours_changed);
    } else {
      return region;
    }
  }
}

}  // namespace

std::vector<ArrayRegion> RegionsOf(const json::Array& base, const json::Array& theirs,
                                   const json::Array& ours, json::MatchingWork& work) {
  const size_t work_max = work.share(/*pairs=*/2);
  size_t used = 0;
  SideChanges theirs_changes(base, theirs, work_max, used);
  SideChanges ours_changes(base, ours, work_max, used);
  work.Use(used);
  std::vector<ArrayRegion> regions;
  size_t position = 0;
  const auto add_unchanged = [&](size_t end) {
    if (end == position) return;
    ArrayRegion region;
    region.base = {position, end};
    region.theirs = theirs_changes.Advance(region.base.size());
    region.ours = ours_changes.Advance(region.base.size());
    position = end;
    regions.push_back(region);
  };
  while (theirs_changes.next() != nullptr || ours_changes.next() != nullptr) {
    size_t begin = base.size();
    for (const SideChanges* side : {&theirs_changes, &ours_changes}) {
      if (side->next() != nullptr) begin = std::min(begin, side->next()->a_begin);
    }
    add_unchanged(begin);
    ArrayRegion region = NextChanged(theirs_changes, ours_changes);
    region.theirs = theirs_changes.Advance(region.base.size());
    region.ours = ours_changes.Advance(region.base.size());
    position = region.base.end;
    regions.push_back(region);
  }
  add_unchanged(base.size());
  return regions;
}

}  // namespace bdcsync::merge
