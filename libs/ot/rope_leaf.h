// A leaf of the rope: about a kibibyte of text and the runs that it falls into. A run is text of
// one format, or one embed, which has a unit but no bytes. Neighbours of one format are one run.
// Places are units from the start of the leaf. Internal to libs/ot. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "libs/ot/delta.h"
#include "libs/ot/utf16.h"

namespace bdcsync::ot {

struct RopeInner;

struct RopeNode {
  explicit RopeNode(bool leaf) : is_leaf(leaf) {}

  RopeInner* parent = nullptr;
  size_t place = 0;  // Among the children of `parent`.
  const bool is_leaf;
};

struct Run {
  TextSize size;
  Attributes attributes;
  Embed embed;  // Null for text.
};

// What is inserted into a rope in one piece: text, or an embed if that is not null.
struct Piece {
  absl::string_view text;
  TextSize size;
  const Attributes& attributes;
  const Embed& embed;
};
inline constexpr TextSize kEmbedSize{0, 1, 1};

class RopeLeaf : public RopeNode {
 public:
  static constexpr size_t kBytesMax = 1024;
  static constexpr size_t kRunsMax = 32;

  RopeLeaf() : RopeNode(true) {}

  const TextSize& size() const { return size_; }
  const absl::InlinedVector<Run, 1>& runs() const { return runs_; }
  absl::string_view text() const { return text_; }
  // Whether a place can be between the halves of a surrogate pair at all.
  bool has_pairs() const { return size_.units != size_.points; }
  bool overfull() const { return text_.size() > kBytesMax || runs_.size() > kRunsMax; }
  bool FitsBeside(const RopeLeaf& other) const;

  // False between the halves of a surrogate pair.
  bool IsBoundary(int64_t unit) const;
  void Insert(int64_t unit, const Piece& piece);
  // Returns what was taken away. Both ends must be boundaries, as for the others.
  TextSize Erase(int64_t unit, int64_t units);
  void Format(int64_t unit, int64_t units, const Attributes& change);
  // Adds `units` units from `unit` on to `out`.
  void AddTo(Delta& out, int64_t unit, int64_t units) const;

  // Moves the second half, by what is too much of, to `behind`, which is empty.
  void SplitTo(RopeLeaf& behind);
  // Takes all of the leaf behind this one.
  void Append(RopeLeaf& behind);

 private:
  // A run and how far into it, with the byte of the leaf's text that is there.
  struct Spot {
    size_t run = 0;
    int64_t unit = 0;
    size_t byte = 0;
  };
  // The spot of a place: at the end of a run rather than at the start of the next one.
  Spot Find(int64_t unit) const;
  size_t ByteIn(const Run& run, size_t run_byte, int64_t unit) const;
  // Makes a run begin at the spot; returns its number.
  size_t Cut(const Spot& spot);
  TextSize SizeBefore(const Run& run, size_t run_byte, const Spot& spot) const;
  // Joins the run with the one before it if they are alike.
  void Join(size_t run);

  TextSize size_;
  std::string text_;
  absl::InlinedVector<Run, 1> runs_;
};

}  // namespace bdcsync::ot
