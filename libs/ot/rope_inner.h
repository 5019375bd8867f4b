// An inner node of the rope: children and their sizes, side by side so that finding a place reads
// few lines of cache. Owns its children. Internal to libs/ot. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "libs/ot/rope_leaf.h"

namespace bdcsync::ot {

struct RopeInner : RopeNode {
  static constexpr size_t kChildrenMax = 32;

  RopeInner() : RopeNode(false) {}

  size_t count = 0;
  std::array<int64_t, kChildrenMax> units;
  std::array<int64_t, kChildrenMax> points;
  std::array<int64_t, kChildrenMax> bytes;
  std::array<RopeNode*, kChildrenMax> children;

  TextSize SizeOfChild(size_t i) const { return {bytes[i], units[i], points[i]}; }
  TextSize Total() const {
    TextSize total;
    for (size_t i = 0; i < count; ++i) total += SizeOfChild(i);
    return total;
  }
  void Add(size_t i, const TextSize& by) {
    units[i] += by.units;
    points[i] += by.points;
    bytes[i] += by.bytes;
  }
  void Set(size_t i, RopeNode& child, const TextSize& size) {
    children[i] = &child;
    units[i] = size.units;
    points[i] = size.points;
    bytes[i] = size.bytes;
    child.parent = this;
    child.place = i;
  }
  // Makes room for a child at `i`; there must be room.
  void Insert(size_t i, RopeNode& child, const TextSize& size) {
    for (size_t j = count; j > i; --j) Set(j, *children[j - 1], SizeOfChild(j - 1));
    ++count;
    Set(i, child, size);
  }
  void Erase(size_t i) {
    for (size_t j = i + 1; j < count; ++j) Set(j - 1, *children[j], SizeOfChild(j));
    --count;
  }
  // Moves the children from `i` on to the end of `target`.
  void MoveTo(RopeInner& target, size_t i) {
    for (size_t j = i; j < count; ++j) target.Set(target.count++, *children[j], SizeOfChild(j));
    count = i;
  }
};

// Frees a node and all below it.
inline void Free(RopeNode* node) {
  if (node->is_leaf) {
    delete static_cast<RopeLeaf*>(node);
    return;
  }
  auto* inner = static_cast<RopeInner*>(node);
  for (size_t i = 0; i < inner->count; ++i) Free(inner->children[i]);
  delete inner;
}

}  // namespace bdcsync::ot
