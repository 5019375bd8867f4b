#include "libs/merge/order_merge.h"

#include <algorithm>

#include "absl/algorithm/container.h"

namespace bdcsync::merge {
namespace {

using Ids = std::vector<uint32_t>;

constexpr uint32_t kAbsent = UINT32_MAX;

// By id: where it stands.
Ids PositionsOf(const Ids& ids, uint32_t count) {
  Ids positions(count, kAbsent);
  for (uint32_t i = 0; i < ids.size(); ++i) {
    if (positions[ids[i]] == kAbsent) positions[ids[i]] = i;
  }
  return positions;
}

// One side's order around the elements that both sides left in place.
struct Around {
  const Ids& ids;
  std::vector<bool> moved;
  Ids positions;
  Ids gap;              // By id: how many of those elements stand before it.
  std::vector<Ids> in;  // By gap: what this side puts there.
};

void FindGaps(Around& side, const std::vector<bool>& anchored) {
  side.gap.assign(anchored.size(), 0);
  uint32_t gap = 0;
  for (uint32_t i = 0; i < side.ids.size(); ++i) {
    const uint32_t id = side.ids[i];
    if (side.positions[id] != i) continue;  // A set may hold an element twice: the first counts.
    if (anchored[id]) ++gap;
    side.gap[id] = gap;
  }
}

}  // namespace

std::vector<bool> MovedIn(const Ids& base, const Ids& side, uint32_t count) {
  if (side == base) return std::vector<bool>(count, false);
  const Ids in_side = PositionsOf(side, count);
  std::vector<bool> moved(count, false);
  Ids common;
  for (const uint32_t id : base) {
    if (in_side[id] != kAbsent && !moved[id]) common.push_back(id);
    if (in_side[id] != kAbsent) moved[id] = true;
  }
  // The longest ascending series of positions; its elements were not moved.
  Ids tails;  // Index into common of the last element of the best series of each length.
  Ids previous(common.size(), kAbsent);
  for (uint32_t i = 0; i < common.size(); ++i) {
    const auto before = [&](uint32_t tail) { return in_side[common[tail]] < in_side[common[i]]; };
    const bool last = tails.empty() || before(tails.back());  // Mostly: little is moved.
    const auto place =
        last ? tails.end() : std::partition_point(tails.begin(), tails.end(), before);
    if (place != tails.begin()) previous[i] = *(place - 1);
    if (place == tails.end()) {
      tails.push_back(i);
    } else {
      *place = i;
    }
  }
  for (uint32_t i = tails.empty() ? kAbsent : tails.back(); i != kAbsent; i = previous[i]) {
    moved[common[i]] = false;
  }
  return moved;
}

MergedOrder MergeOrders(const ListIds& ids, const std::vector<bool>& kept,
                        const std::vector<Side>& winners, Side later) {
  const bool one_order = ids.theirs == ids.base && ids.ours == ids.base;
  const bool all_known = ids.count == ids.base.size();  // And none is there twice.
  if (one_order && all_known && absl::c_count(kept, true) == ids.count) return {ids.base, {}};
  const auto around = [&ids](const Ids& side) {
    return Around{side, MovedIn(ids.base, side, ids.count), PositionsOf(side, ids.count), {}, {}};
  };
  Around theirs = around(ids.theirs);
  Around ours = around(ids.ours);
  static const auto& nothing = *new Ids;
  const bool to_base = absl::c_linear_search(winners, Side::kBase);
  Around base{to_base ? ids.base : nothing, {}, PositionsOf(ids.base, ids.count), {}, {}};
  std::vector<bool> anchored(ids.count, false);
  Ids anchors;
  for (const uint32_t id : ids.base) {
    const bool stays = kept[id] && theirs.positions[id] != kAbsent &&
                       ours.positions[id] != kAbsent && !theirs.moved[id] && !ours.moved[id];
    if (!stays || anchored[id]) continue;
    anchored[id] = true;
    anchors.push_back(id);
  }
  MergedOrder merged;
  for (Around* side : {&theirs, &ours, &base}) {
    FindGaps(*side, anchored);
    side->in.resize(anchors.size() + 1);
  }
  const auto owner = [&](uint32_t id) -> Side {
    if (ours.positions[id] == kAbsent) return Side::kTheirs;
    if (theirs.positions[id] == kAbsent) return Side::kOurs;
    if (theirs.moved[id] != ours.moved[id]) return theirs.moved[id] ? Side::kTheirs : Side::kOurs;
    const bool contested = theirs.moved[id] && theirs.gap[id] != ours.gap[id];
    if (!contested || winners.empty()) return later;
    return winners[id];
  };
  for (const auto& [side, name] :
       {std::pair(&base, Side::kBase), {&theirs, Side::kTheirs}, {&ours, Side::kOurs}}) {
    for (uint32_t i = 0; i < side->ids.size(); ++i) {
      const uint32_t id = side->ids[i];
      if (!kept[id] || anchored[id] || side->positions[id] != i || owner(id) != name) continue;
      side->in[side->gap[id]].push_back(id);
    }
  }
  for (const uint32_t id : ids.base) {
    const bool both = kept[id] && theirs.moved[id] && ours.moved[id];
    if (both && theirs.gap[id] != ours.gap[id]) merged.contested.push_back(id);
  }
  const Around& first = later == Side::kOurs ? theirs : ours;
  const Around& last = later == Side::kOurs ? ours : theirs;
  for (size_t gap = 0; gap <= anchors.size(); ++gap) {
    if (gap > 0) merged.ids.push_back(anchors[gap - 1]);
    for (const Around* side : {static_cast<const Around*>(&base), &first, &last}) {
      merged.ids.insert(merged.ids.end(), side->in[gap].begin(), side->in[gap].end());
    }
  }
  return merged;
}

}  // namespace bdcsync::merge
