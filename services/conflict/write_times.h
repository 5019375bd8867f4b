// When places of theirs were written last: by the item through which theirs came, or by one of the
// versions since the base. So `lww` compares what was written at a place, and not the whole heads
// in which it is found. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "services/conflict/meeting.h"

namespace bdcsync::conflict {

// Versions that an item tells of.
inline constexpr int kWritesMax = 256;
// What may be looked at (FindAt) to find out which of the items of a call that meet each other, one
// after the other, has written places last.
inline constexpr size_t kLookStepsMax = 4'000'000;

// Finds the last of several writes that may have changed a place, without looking at each: there
// can be thousands of paths and of places. The paths that it is given must outlive it.
class LastWrites {
 public:
  // The next write has changed what is at `changed` (a JSON pointer) and all within.
  void Add(int write, absl::string_view changed);
  // The last write that may have touched `path`, which is as decisions write it: elements of keyed
  // lists have their keys there and a position in what was changed, which may be any of them.
  // Nothing: there is none.
  std::optional<int> At(absl::string_view path) const;

 private:
  static constexpr int kNone = -1;
  struct Node {
    absl::flat_hash_map<absl::string_view, size_t> children;  // By token, as it is written.
    int here = kNone;                                         // The last write of all that is here,
    int within = kNone;                                       // of something that is here,
    int at_position = kNone;                                  // of something in an element.
  };
  std::vector<Node> nodes_ = std::vector<Node>(1);  // The first is the document.
};

class WriteTimes final : public PlaceTimes {
 public:
  // The state that the item with this number (from 0) met, and what it made of it.
  using StateOf = std::function<const Document&(int item)>;

  // `request`, `met` and `outcome` are borrowed; they are asked about items before `item` only. So
  // is `steps`, to which what is looked at is added.
  WriteTimes(const v1::ResolveRequest& request, int item, StateOf met, StateOf outcome,
             size_t& steps);

  // Nothing, too, once kLookStepsMax steps were taken.
  std::optional<WriteTime> LastAt(const std::string& path) override;
  // Whether LastAt needed what the caller can tell but has not told.
  bool wants_writes() const { return wants_writes_; }

 private:
  const v1::ResolveRequest& request_;
  const v1::ResolveItem& item_;
  const StateOf met_;
  const StateOf outcome_;
  size_t& steps_;
  LastWrites writes_;
  bool wants_writes_ = false;
};

}  // namespace bdcsync::conflict
