// What an operation makes of a state: the rules of create, update, patch and delete, and the
// description that a new version carries. Pure functions of values. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/version/entity_state.h"

namespace bdcsync::common::v1 {
class Actor;
class Operation;
}  // namespace bdcsync::common::v1

namespace bdcsync::version {

inline constexpr size_t kOperationIdBytesMax = 64;
inline constexpr size_t kMessageBytesMax = 1024;
inline constexpr size_t kMetadataBytesMax = 4096;
inline constexpr size_t kCategoryBytesMax = 64;
inline constexpr size_t kChangedPathsMax = 64;
// Beyond this a version says that the whole value changed.
inline constexpr size_t kChangedPathsBytesMax = 4096;
// Larger documents are not compared to learn what an update changed.
inline constexpr size_t kComparedBytesMax = 4096;
// A larger patch is not kept with the version; the data after it always is.
inline constexpr size_t kKeptPatchBytesMax = 32768;
// Nor is a larger text operation: whoever would need it makes do with the texts before and after.
inline constexpr size_t kKeptTextBytesMax = 65536;
// A description is no larger, else the log would refuse the version; a text operation that does not
// fit beside the rest is not kept. The log takes 64 KiB: the difference is for what a conflict adds
// (DescribeForConflict).
inline constexpr size_t kDescriptionBytesMax = (size_t{64} << 10) - 256;

struct DataLimits {
  size_t data_bytes_max = size_t{1} << 20;
  size_t data_depth_max = 64;
  int64_t text_distance_max = 1000;
  // Components to go through for moving one text operation over what was committed to the text;
  // what takes more is moved over the difference of the two texts.
  size_t text_steps_work_max = 16'000'000;
  size_t text_trail_bytes_max = size_t{256} << 10;
};

// What an operation makes of a state.
struct Change {
  bool deleted = false;
  std::string data;  // JSON text, unless deleted.
  std::vector<std::string> changed_paths;
  std::string text;  // JSON of the text operation that it is, if it is one.
};

// Checks what needs no state: kind and lengths. kInvalidArgument or kTooLarge: never retry.
absl::Status ValidateOperation(const common::v1::Operation& operation, const DataLimits& limits);

// Applies a validated operation to `state`, ignoring its base_version.
//   kAlreadyExists       create of what lives.
//   kNotFound            patch or delete of what does not live.
//   kPreconditionFailed  the patch does not fit the data: rebase.
//   kInvalidArgument, kTooLarge, kTooDeep  the operation is at fault: never retry.
absl::StatusOr<Change> ApplyOperation(const common::v1::Operation& operation,
                                      const EntityState& state, const DataLimits& limits);

// Whether the operation looks at its base at all: a create does not.
bool UsesBase(const common::v1::Operation& operation);

// JSON pointers of what differs, cut to what a version may carry.
std::vector<std::string> ChangedPathsBetween(const EntityState& from, const EntityState& to,
                                             const DataLimits& limits);

// When a change was made on `base`, by its client's clock but not before `base`: a clock that is
// slow puts no version before the one that it was made from. 0: as its commit.
int64_t ClientTimeAfter(const EntityState& base, int64_t client_time_ms);

// Everything of the version that follows `head` but its data: who, when, what it is called.
std::shared_ptr<EntityState> NextState(const EntityState& head,
                                       const common::v1::Operation& operation,
                                       const common::v1::Actor& actor, uint64_t event_id);

// The description that is stored with the version `next`. `merged_with`: the base, for a merge.
std::string DescribeVersion(const common::v1::Operation& operation, const EntityState& head,
                            const EntityState& next, const EntityState* merged_with,
                            std::vector<std::string> changed_paths, absl::string_view text = {});

// What is asked for does not exist, or does not fit.
absl::Status BaseNotFound();
absl::Status NothingToEdit();
absl::Status TextTooLarge(const DataLimits& limits);

}  // namespace bdcsync::version
