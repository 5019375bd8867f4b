#include "libs/ot/rope.h"

#include <algorithm>
#include <utility>

#include "libs/ot/rope_inner.h"

namespace bdcsync::ot {
namespace {

// Text is inserted in pieces of so many bytes, so that no leaf ever holds more than both together.
constexpr size_t kPieceBytesMax = RopeLeaf::kBytesMax / 2;
// Below so much a leaf, or an inner node, is joined with a neighbour.
constexpr int64_t kLeafBytesLow = RopeLeaf::kBytesMax / 4;
constexpr size_t kChildrenLow = RopeInner::kChildrenMax / 4;
constexpr size_t kChildrenJoined = RopeInner::kChildrenMax / 4 * 3;

RopeInner& AsInner(RopeNode& node) { return static_cast<RopeInner&>(node); }
RopeLeaf& AsLeaf(RopeNode& node) { return static_cast<RopeLeaf&>(node); }
TextSize Negative(const TextSize& size) { return {-size.bytes, -size.units, -size.points}; }

// To what the nodes above `node` hold of its size.
void AddAbove(RopeNode& node, const TextSize& by) {
  for (RopeNode* at = &node; at->parent != nullptr; at = at->parent) at->parent->Add(at->place, by);
}

}  // namespace

Rope::Rope() : root_(new RopeLeaf()) {}
Rope::Rope(Rope&& other) noexcept : Rope() { *this = std::move(other); }
Rope& Rope::operator=(Rope&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(size_, other.size_);
  std::swap(hot_, other.hot_);
  return *this;
}
Rope::~Rope() { Free(root_); }

Rope::Found Rope::Find(int64_t unit, bool at_end) const {
  RopeNode* node = root_;
  int64_t start = 0;
  const int64_t behind = at_end ? unit : unit + 1;  // The first end that will do.
  while (!node->is_leaf) {
    const RopeInner& inner = AsInner(*node);
    size_t i = 0;
    while (i + 1 < inner.count && start + inner.units[i] < behind) start += inner.units[i++];
    node = inner.children[i];
  }
  return {static_cast<RopeLeaf*>(node), start};
}

Rope::Found Rope::FindAndRemember(int64_t unit, bool at_end) {
  if (hot_.leaf != nullptr && unit >= hot_.start) {
    const int64_t end = hot_.start + hot_.leaf->size().units;
    if (at_end ? unit <= end : unit < end) return hot_;
  }
  hot_ = Find(unit, at_end);
  return hot_;
}

const RopeLeaf* Rope::First() const {
  const RopeNode* node = root_;
  while (!node->is_leaf) node = static_cast<const RopeInner*>(node)->children[0];
  return static_cast<const RopeLeaf*>(node);
}

const RopeLeaf* Rope::Next(const RopeLeaf& leaf) {
  const RopeNode* node = &leaf;
  while (node->parent != nullptr && node->place + 1 == node->parent->count) node = node->parent;
  if (node->parent == nullptr) return nullptr;
  node = node->parent->children[node->place + 1];
  while (!node->is_leaf) node = static_cast<const RopeInner*>(node)->children[0];
  return static_cast<const RopeLeaf*>(node);
}

size_t Rope::depth() const {
  size_t levels = 1;
  const RopeNode* node = root_;
  for (; !node->is_leaf; ++levels) node = static_cast<const RopeInner*>(node)->children[0];
  return levels;
}

bool Rope::IsBoundary(int64_t unit) const {
  if (size_.units == size_.points) return true;
  const bool in_hot =
      hot_.leaf != nullptr && unit >= hot_.start && unit <= hot_.start + hot_.leaf->size().units;
  const Found found = in_hot ? hot_ : Find(unit, /*at_end=*/true);
  return !found.leaf->has_pairs() || found.leaf->IsBoundary(unit - found.start);
}

void Rope::Grow(RopeNode& node, const TextSize& by) {
  size_ += by;
  AddAbove(node, by);
}

void Rope::Shrink(RopeNode& node, const TextSize& by) { Grow(node, Negative(by)); }

void Rope::InsertPiece(int64_t unit, const Piece& piece) {
  const Found found = FindAndRemember(unit, /*at_end=*/true);
  RopeLeaf& leaf = *found.leaf;
  const bool at_end = unit - found.start == leaf.size().units;
  const bool full = leaf.text().size() + piece.text.size() > RopeLeaf::kBytesMax;
  if (at_end && full) {  // Long texts fill their leaves one after another.
    auto* behind = new RopeLeaf();
    behind->Insert(0, piece);
    InsertAfter(leaf, *behind, piece.size);
    hot_ = {nullptr, 0};
    size_ += piece.size;
    return;
  }
  leaf.Insert(unit - found.start, piece);
  Grow(leaf, piece.size);
  if (leaf.overfull()) Split(leaf);
}

void Rope::InsertText(int64_t unit, absl::string_view utf8, int64_t units,
                      const Attributes& attributes) {
  const Embed none;
  if (utf8.size() <= kPieceBytesMax) {
    const auto bytes = static_cast<int64_t>(utf8.size());
    const TextSize size = bytes == units ? TextSize{bytes, units, units} : SizeOf(utf8);
    InsertPiece(unit, {utf8, size, attributes, none});
    return;
  }
  while (!utf8.empty()) {
    size_t bytes = std::min(utf8.size(), kPieceBytesMax);
    while (bytes < utf8.size() && (static_cast<uint8_t>(utf8[bytes]) & 0xC0) == 0x80) --bytes;
    const TextSize size = SizeOf(utf8.substr(0, bytes));
    InsertPiece(unit, {utf8.substr(0, bytes), size, attributes, none});
    unit += size.units;
    utf8.remove_prefix(bytes);
  }
}

void Rope::InsertEmbed(int64_t unit, const Embed& embed, const Attributes& attributes) {
  InsertPiece(unit, {"", kEmbedSize, attributes, embed});
}

void Rope::Erase(int64_t unit, int64_t units) {
  while (units > 0) {
    const Found found = FindAndRemember(unit, /*at_end=*/false);
    RopeLeaf& leaf = *found.leaf;
    const int64_t here = std::min(units, found.start + leaf.size().units - unit);
    const TextSize erased = leaf.Erase(unit - found.start, here);
    Shrink(leaf, erased);
    units -= here;
    if (leaf.size().units == 0) {
      Remove(leaf);
    } else if (leaf.size().bytes < kLeafBytesLow) {
      MergeLeaf(leaf);
    } else if (leaf.overfull()) {  // Cutting has made a run too many.
      Split(leaf);
    }
  }
}

void Rope::Format(int64_t unit, int64_t units, const Attributes& change) {
  while (units > 0) {
    const Found found = FindAndRemember(unit, /*at_end=*/false);
    RopeLeaf& leaf = *found.leaf;
    const int64_t here = std::min(units, found.start + leaf.size().units - unit);
    leaf.Format(unit - found.start, here, change);
    units -= here;
    unit += here;
    if (leaf.overfull()) Split(leaf);
  }
}

int64_t Rope::RunsIn(int64_t unit, int64_t units) const {
  const Found found = Find(unit, /*at_end=*/false);
  int64_t before = unit - found.start;
  int64_t runs = 0;
  for (const RopeLeaf* leaf = found.leaf; units > 0 && leaf != nullptr; leaf = Next(*leaf)) {
    const int64_t inside = std::min(units, leaf->size().units - before);
    runs += std::min(inside, static_cast<int64_t>(leaf->runs().size()));
    units -= inside;
    before = 0;
  }
  return runs;
}

void Rope::AddTo(Delta& out, int64_t unit, int64_t units) const {
  if (units == 0) return;
  const Found found = Find(unit, /*at_end=*/false);
  int64_t start = unit - found.start;
  for (const RopeLeaf* leaf = found.leaf; units > 0 && leaf != nullptr; leaf = Next(*leaf)) {
    const int64_t here = std::min(units, leaf->size().units - start);
    leaf->AddTo(out, start, here);
    units -= here;
    start = 0;
  }
}

int64_t Rope::UnitOfPoint(int64_t point) const {
  const RopeNode* node = root_;
  int64_t unit = 0;
  while (!node->is_leaf) {
    const auto& inner = static_cast<const RopeInner&>(*node);
    size_t i = 0;
    for (; i + 1 < inner.count && inner.points[i] <= point; ++i) {
      point -= inner.points[i];
      unit += inner.units[i];
    }
    node = inner.children[i];
  }
  const auto& leaf = static_cast<const RopeLeaf&>(*node);
  size_t byte = 0;
  for (const Run& run : leaf.runs()) {
    const auto bytes = static_cast<size_t>(run.size.bytes);
    if (point < run.size.points) {
      return unit + (run.embed ? 0 : ot::UnitOfPoint(leaf.text().substr(byte, bytes), point));
    }
    point -= run.size.points;
    unit += run.size.units;
    byte += bytes;
  }
  return unit;
}

// From here on, how the tree keeps its shape.

void Rope::Split(RopeLeaf& leaf) {
  auto* behind = new RopeLeaf();
  leaf.SplitTo(*behind);
  AddAbove(leaf, Negative(behind->size()));
  InsertAfter(leaf, *behind, behind->size());
  hot_ = {nullptr, 0};
}

// Adds the new node's size to the nodes above it. They must not hold it already, as they may be
// split on the way.
void Rope::InsertAfter(RopeNode& node, RopeNode& added, const TextSize& size) {
  if (node.parent == nullptr) {
    auto* root = new RopeInner();
    const TextSize own = node.is_leaf ? AsLeaf(node).size() : AsInner(node).Total();
    root->Insert(0, node, own);
    root->Insert(1, added, size);
    root_ = root;
    return;
  }
  if (node.parent->count == RopeInner::kChildrenMax) SplitInner(*node.parent);
  node.parent->Insert(node.place + 1, added, size);
  AddAbove(*node.parent, size);
}

void Rope::SplitInner(RopeInner& inner) {
  auto* behind = new RopeInner();
  inner.MoveTo(*behind, RopeInner::kChildrenMax / 2);
  const TextSize moved = behind->Total();
  AddAbove(inner, Negative(moved));
  InsertAfter(inner, *behind, moved);
}

void Rope::Remove(RopeNode& node) {
  hot_ = {nullptr, 0};
  RopeInner* const parent = node.parent;
  if (parent == nullptr) return;  // The root may be an empty leaf.
  parent->Erase(node.place);
  Free(&node);
  if (parent->count == 0) {
    if (parent->parent == nullptr) {
      delete parent;
      root_ = new RopeLeaf();
    } else {
      Remove(*parent);
    }
    return;
  }
  if (parent->count < kChildrenLow) MergeInner(*parent);
  DropRootsOfOne();
}

void Rope::MergeLeaf(RopeLeaf& leaf) {
  RopeInner* const parent = leaf.parent;
  if (parent == nullptr) return;
  const auto fits = [&](size_t i) {
    return i < parent->count && leaf.FitsBeside(AsLeaf(*parent->children[i]));
  };
  const bool after = fits(leaf.place + 1);
  if (!after && (leaf.place == 0 || !fits(leaf.place - 1))) return;
  RopeLeaf& front = after ? leaf : AsLeaf(*parent->children[leaf.place - 1]);
  RopeLeaf& behind = after ? AsLeaf(*parent->children[leaf.place + 1]) : leaf;
  parent->Add(front.place, behind.size());
  front.Append(behind);
  Remove(behind);
}

void Rope::MergeInner(RopeInner& inner) {
  RopeInner* const parent = inner.parent;
  if (parent == nullptr) return;
  const auto fits = [&](size_t i) {
    return i < parent->count &&
           inner.count + AsInner(*parent->children[i]).count <= kChildrenJoined;
  };
  const bool after = fits(inner.place + 1);
  if (!after && (inner.place == 0 || !fits(inner.place - 1))) return;
  RopeInner& front = after ? inner : AsInner(*parent->children[inner.place - 1]);
  RopeInner& behind = after ? AsInner(*parent->children[inner.place + 1]) : inner;
  parent->Add(front.place, behind.Total());
  behind.MoveTo(front, 0);
  Remove(behind);
}

void Rope::DropRootsOfOne() {
  while (!root_->is_leaf && AsInner(*root_).count == 1) {
    RopeInner* const root = &AsInner(*root_);
    root_ = root->children[0];
    root_->parent = nullptr;
    root_->place = 0;
    delete root;
  }
}

}  // namespace bdcsync::ot
