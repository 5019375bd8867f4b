// What becomes of changes that meet: the default policy (three-way merge; of what still overlaps
// the later commit wins; an edit wins over a delete) over values as they travel. Pure. Thread-safe.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

inline constexpr int kResolveItemsMax = 1024;
inline constexpr size_t kOperationIdBytesMax = 64;

struct ResolveLimits {
  // More decisions about one meeting become one about the whole value, so that nothing is lost.
  size_t decisions_max = 256;
  // Steps for matching the elements of an array with those of its base.
  size_t matching_work_max = 1'000'000;
};

// How two changes met; a closed set, for counting.
enum class MeetingKind {
  kClean,         // Each side's changes stand beside the other's.
  kOverlap,       // Both changed one thing, differently.
  kDeleteOrEdit,  // One side removed what the other changed.
  kRefused,       // No decision was possible.
};
absl::string_view MeetingKindName(MeetingKind kind);
MeetingKind KindOf(const v1::ResolveResult& result);

// Decides every item. Errors are said per item: invalid_argument for malformed JSON or a malformed
// key, depends_on_rejected when the item whose outcome it meets failed.
v1::ResolveResponse Resolve(const v1::ResolveRequest& request, const ResolveLimits& limits);

}  // namespace bdcsync::conflict
