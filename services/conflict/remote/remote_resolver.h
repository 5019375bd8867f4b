// Who decides places by the rule `remote`: a port onto programs outside the suite, each known by
// the name that rules use. Thread-safe; calls never block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/json/value.h"

namespace bdcsync::conflict {

// Two changes that meet. `data` of a side is the whole document, if that is known.
struct RemoteMeeting {
  std::string op_id;
  common::v1::EntityKey entity;
  v1::Side base;
  v1::Side theirs;
  v1::Side ours;
  bool has_documents = true;
};

// A place to decide. Values are JSON text; empty: missing there.
struct RemotePlace {
  std::shared_ptr<const RemoteMeeting> meeting;  // Shared by its places.
  std::string path;                              // As decisions write it.
  std::string kind;                              // The same.
  std::string base;
  std::string theirs;
  std::string ours;
  bool stretch = false;  // Of the array at `path`: the values are arrays, and so is the answer.
};

// Why there is no answer, so that the rule's `else` decides; a closed set.
enum class NoAnswer {
  kUnknownResolver,   // No resolver of this name is configured.
  kBreakerOpen,       // It failed too often and is not called for a while.
  kQueueFull,         // Too much waits for it.
  kQueuedTooLong,     // It waited for its turn longer than a call may take.
  kQuestionTooLarge,  // The values are larger than a question may be.
  kUnavailable,       // It cannot be reached.
  kDeadline,          // It took too long.
  kCallFailed,        // The call ended with another error.
  kInvalidAnswer,     // To what was not asked, for another path, without outcome, or no JSON.
  kAnswerTooLarge,    // Larger than allowed, or nested deeper.
  kUnanswered,        // It answered, but not this place.
  kDeclined,          // It leaves the place to the `else`.
  kResolverError,     // It says that it could not decide.
};
inline constexpr int kNoAnswers = static_cast<int>(NoAnswer::kResolverError) + 1;
// "unknown_resolver", …
absl::string_view NoAnswerName(NoAnswer reason);

struct RemoteAnswer {
  std::optional<NoAnswer> failure;   // Nothing: `value` holds.
  std::optional<json::Value> value;  // nullopt: the place is removed.
};

class RemoteResolver {
 public:
  using Answered = absl::AnyInvocable<void(std::vector<RemoteAnswer>)>;

  virtual ~RemoteResolver() = default;
  // Asks the resolver `name`. `answered` runs exactly once, with one answer for each place, in
  // order, on any thread, perhaps before this returns, without a lock held.
  virtual void ResolvePlaces(absl::string_view name, std::vector<RemotePlace> places,
                             Answered answered) = 0;
};

}  // namespace bdcsync::conflict
