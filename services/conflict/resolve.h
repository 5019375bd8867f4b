// What becomes of changes that meet, over values as they travel: merged by the rule set of their
// entity type (docs/conflicts.md). What a rule leaves to a person keeps the whole change out, and
// comes back as a conflict to open. Pure. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/evaluator.h"
#include "services/conflict/meeting.h"

namespace bdcsync::conflict {

inline constexpr int kResolveItemsMax = 1024;
inline constexpr size_t kOperationIdBytesMax = 64;

struct ResolveLimits {
  // More decisions about one meeting, or longer paths (told_apart.h), become one about the whole
  // value, so that nothing is lost.
  size_t decisions_max = 256;
  // Steps for matching the elements of an array with those of its base.
  size_t matching_work_max = 1'000'000;
  // Times nearer to each other than this may be in the wrong order.
  absl::Duration clock_skew_max = absl::Minutes(5);
  // Of places whose rule does not say.
  absl::Duration ask_deadline = absl::Hours(72);
  merge::Pick ask_fallback = merge::Pick::kProposed;
  // Of all scripts in one call.
  absl::Duration script_time_max = absl::Seconds(2);
};

// What a call needs beside the request. All is borrowed.
struct ResolveContext {
  const ResolveLimits& limits;
  const ActiveRules& rules;
  int64_t now_ms = 0;
  // Told of every run of a script; may be nothing.
  std::function<void(absl::string_view entity_type, const absl::Status& run)> on_script;
  // Asked before each run of a script; without time for it the `else` decides. May be nothing.
  std::function<bool()> has_time_for_script;
  // Answers rules `remote` of the item with this number; nothing: their `else` decides. The item,
  // and those that meet its outcome, wait when it answers kPending.
  std::function<merge::Answer(int item, const merge::Question& question)> ask_remote;
};

// How two changes met; a closed set, for counting.
enum class MeetingKind {
  kClean,         // Each side's changes stand beside the other's.
  kOverlap,       // Both changed one thing, differently.
  kDeleteOrEdit,  // One side removed what the other changed.
  kAsked,         // A person has to decide.
  kRefused,       // No decision was possible.
};
absl::string_view MeetingKindName(MeetingKind kind);
MeetingKind KindOf(const v1::ResolveResult& result);

struct Resolved {
  v1::ResolveResponse response;
  std::vector<int64_t> rule_set_versions;  // By item; 0: the defaults, or refused.
};

// Decides the items of one call, in rounds while other programs are asked. An item in which times
// decide, and of which it is not told when its places were written, is not decided but says so
// (wants_writes), and so do those that meet its outcome. Errors are said per
// item: invalid_argument for malformed JSON or a malformed key, depends_on_rejected when the item
// whose outcome it meets failed. Not thread-safe.
class Resolving {
 public:
  // Both are borrowed, and all that the context names.
  Resolving(const v1::ResolveRequest& request, const ResolveContext& context);
  ~Resolving();

  // Decides every item that can be decided now. False: some wait; call again when ask_remote knows
  // more than it did.
  [[nodiscard]] bool Advance();
  // Of an item that is decided.
  const v1::ResolveResult& result(int item) const;
  // When Advance has said true; once.
  Resolved Take();

 private:
  class Items;
  const std::unique_ptr<Items> items_;
};

// Decides every item in one round; ask_remote must not answer kPending.
Resolved Resolve(const v1::ResolveRequest& request, const ResolveContext& context);

}  // namespace bdcsync::conflict
