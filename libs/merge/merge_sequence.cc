// Arrays whose elements have no keys: diff3 over elements.
#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/merge/merger.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;

Value Slice(const Array& array, const Part& part) {
  return Array(array.begin() + static_cast<std::ptrdiff_t>(part.begin),
               array.begin() + static_cast<std::ptrdiff_t>(part.end));
}

void MoveTo(Array& merged, Array& from, const Part& part) {
  std::move(from.begin() + static_cast<std::ptrdiff_t>(part.begin),
            from.begin() + static_cast<std::ptrdiff_t>(part.end), std::back_inserter(merged));
}

}  // namespace

void Merger::MergeSequence(const Array& base, Value& theirs, Value& ours, const Place& place) {
  Array merged;
  merged.reserve(std::max(theirs.array().size(), ours.array().size()));
  for (const ArrayRegion& region : RegionsOf(base, theirs.array(), ours.array(), matching_work_)) {
    MergeRegion(region, base, theirs.array(), ours.array(), place, merged);
  }
  theirs.array() = std::move(merged);
}

void Merger::MergeRegion(const ArrayRegion& region, const Array& base, Array& theirs, Array& ours,
                         const Place& place, Array& merged) {
  if (!region.theirs_changed && !region.ours_changed) {
    for (size_t i = 0; i < region.base.size(); ++i) {
      Value& element = theirs[region.theirs.begin + i];
      const bool old = Identical(element, base[region.base.begin + i]);
      merged.push_back(std::move(old ? ours[region.ours.begin + i] : element));
    }
    return;
  }
  ConflictKind kind = ConflictKind::kNone;
  const Region place_of{region.base.begin, region.theirs.begin, region.ours.begin, merged.size()};
  Verdict verdict{RuleKind::kThreeWay, region.ours_changed ? Side::kOurs : Side::kTheirs};
  if (!region.theirs_changed || !region.ours_changed) {
    if (region.base.size() == 0) {  // Added: nothing is lost.
      return region.ours_changed ? MoveTo(merged, ours, region.ours)
                                 : MoveTo(merged, theirs, region.theirs);
    }
  }
  Value base_part = Slice(base, region.base);
  Value theirs_part = Slice(theirs, region.theirs);
  Value ours_part = Slice(ours, region.ours);
  if (region.theirs_changed && region.ours_changed) {
    if (theirs_part == ours_part) return MoveTo(merged, ours, region.ours);
    const bool removal = region.theirs.size() == 0 || region.ours.size() == 0;
    kind = removal ? ConflictKind::kEditDelete : ConflictKind::kRegion;
    const Clash clash{&base_part, region.theirs.size() == 0 ? nullptr : &theirs_part,
                      region.ours.size() == 0 ? nullptr : &ours_part, kind, &place_of};
    verdict = removal ? JudgeRemoval(place.policy, clash) : Judge(&place.policy, clash);
    if (verdict.pending) {
      ++result_.pending;
      return MoveTo(merged, theirs, region.theirs);
    }
  }
  Decision decision = DecisionHere(verdict.rule, kind);
  decision.chosen = verdict.chosen;
  decision.ask = std::move(verdict.ask);
  if (verdict.chosen == Side::kValue) decision.result = verdict.value;
  Value made = Array();
  if (verdict.chosen == Side::kBase) made = base_part;
  if (verdict.value) made = *std::move(verdict.value);
  decision.base = std::move(base_part);
  decision.theirs = std::move(theirs_part);
  decision.ours = std::move(ours_part);
  decision.region = place_of;
  Record(std::move(decision));
  if (verdict.chosen == Side::kOurs) {
    MoveTo(merged, ours, region.ours);
  } else if (verdict.chosen == Side::kTheirs || !verdict.chosen) {
    MoveTo(merged, theirs, region.theirs);
  } else {
    MoveTo(merged, made.array(), {0, made.array().size()});
  }
}

}  // namespace bdcsync::merge
