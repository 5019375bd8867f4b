// When places of theirs were written last: by the item through which theirs came, or by one of the
// versions since the base. So `lww` compares what was written at a place, and not the whole heads
// in which it is found. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "services/conflict/meeting.h"

namespace bdcsync::conflict {

// Versions that an item tells of.
inline constexpr int kWritesMax = 256;

class WriteTimes final : public PlaceTimes {
 public:
  // The state that the item with this number (from 0) met, and what it made of it.
  using StateOf = std::function<const Document&(int item)>;

  // `request`, `met` and `outcome` are borrowed; they are asked about items before `item` only.
  WriteTimes(const v1::ResolveRequest& request, int item, StateOf met, StateOf outcome);

  std::optional<WriteTime> LastAt(const std::string& path) override;
  // Whether LastAt needed what the caller can tell but has not told.
  bool wants_writes() const { return wants_writes_; }

 private:
  const v1::ResolveRequest& request_;
  const v1::ResolveItem& item_;
  const StateOf met_;
  const StateOf outcome_;
  bool wants_writes_ = false;
};

// Whether a version that has changed `changed` (a JSON pointer) may have written at `path`, which
// is as decisions write it: elements of keyed lists have their keys there and a position in
// `changed`.
bool MayTouch(absl::string_view changed, absl::string_view path);

}  // namespace bdcsync::conflict
