// The order of a list whose elements are known, merged three-way apart from what the elements hold.
// Internal to the merge. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/merge/list_ids.h"
#include "libs/merge/rule.h"

namespace bdcsync::merge {

// By id: whether `side` moved it. Those that it left in place are the longest part of `base` that
// has its order there still.
std::vector<bool> MovedIn(const std::vector<uint32_t>& base, const std::vector<uint32_t>& side,
                          uint32_t count);

struct MergedOrder {
  std::vector<uint32_t> ids;
  std::vector<uint32_t> contested;  // Moved by both, to different places, in the order of base.
};

// All ids that `kept` names, each once. What neither side moved keeps the order of base; the rest
// follows what it follows on the side that moved or added it; a contested one does so as on its
// winner, which may be base (`winners` by id; empty: `later` for all). Where both sides put
// something behind the same element, that of `later` comes last. If one side is base, the order is
// the other's.
MergedOrder MergeOrders(const ListIds& ids, const std::vector<bool>& kept,
                        const std::vector<Side>& winners, Side later);

}  // namespace bdcsync::merge
