// The text of a document as a B-tree of leaves (rope_leaf.h), so that an edit in the middle of many
// megabytes costs what the depth of the tree costs. Inner nodes hold the sizes of their children in
// bytes, units and code points. The leaf last edited is remembered: people type where they typed.
// Places must be within the text and no pair of surrogates may be cut: the caller has checked that.
// Reads from several threads are safe, writes are not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/ot/delta.h"
#include "libs/ot/rope_leaf.h"
#include "libs/ot/utf16.h"

namespace bdcsync::ot {

class Rope {
 public:
  Rope();
  Rope(Rope&& other) noexcept;
  Rope& operator=(Rope&& other) noexcept;
  ~Rope();

  const TextSize& size() const { return size_; }

  // False between the halves of a surrogate pair.
  bool IsBoundary(int64_t unit) const;
  void InsertText(int64_t unit, absl::string_view utf8, int64_t units,
                  const Attributes& attributes);
  void InsertEmbed(int64_t unit, const Embed& embed, const Attributes& attributes);
  void Erase(int64_t unit, int64_t units);
  void Format(int64_t unit, int64_t units, const Attributes& change);

  // How many runs those units are in, at most: a leaf that is left or entered within counts with
  // all of its runs, but with no more than it has of those units.
  int64_t RunsIn(int64_t unit, int64_t units) const;
  // Adds `units` units from `unit` on to `out`, as inserts.
  void AddTo(Delta& out, int64_t unit, int64_t units) const;
  // The unit at which code point `point` begins, an embed being one; at most all units.
  int64_t UnitOfPoint(int64_t point) const;
  // Calls visit(leaf) for each leaf in order. For tests and whole texts.
  template <typename Visit>
  void ForEachLeaf(Visit visit) const {
    for (const RopeLeaf* leaf = First(); leaf != nullptr; leaf = Next(*leaf)) visit(*leaf);
  }
  // Levels of nodes: 1 when all is in one leaf.
  size_t depth() const;

 private:
  // A leaf and the unit at which it starts.
  struct Found {
    RopeLeaf* leaf;
    int64_t start;
  };

  // The leaf that holds `unit`; with `at_end`, one that ends there will do.
  Found Find(int64_t unit, bool at_end) const;
  Found FindAndRemember(int64_t unit, bool at_end);
  const RopeLeaf* First() const;
  static const RopeLeaf* Next(const RopeLeaf& leaf);

  void InsertPiece(int64_t unit, const Piece& piece);
  // Adds to, or with `sign` -1 takes from, the sizes of all nodes above and the whole.
  void Grow(RopeNode& node, const TextSize& by);
  void Shrink(RopeNode& node, const TextSize& by);

  void Split(RopeLeaf& leaf);
  void InsertAfter(RopeNode& node, RopeNode& added, const TextSize& size);
  void SplitInner(RopeInner& inner);
  // Takes the node out of its parent, and with it every parent left empty.
  void Remove(RopeNode& node);
  // Joins a leaf, or an inner node, with a neighbour if both are small.
  void MergeLeaf(RopeLeaf& leaf);
  void MergeInner(RopeInner& inner);
  void DropRootsOfOne();

  RopeNode* root_;
  TextSize size_;
  Found hot_{nullptr, 0};
};

}  // namespace bdcsync::ot
