// The closed list of reasons that a client can be told, and how a reason travels inside an
// absl::Status. A reason's name is what docs/protocol.md calls the error `code`; its canonical
// status code says what the caller does next (fix, rebase, retry, give up). Thread-safe: values
// only.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace bdcsync {

enum class Reason {
  kBadMessage,
  kUnknownType,
  kInvalidArgument,
  kUnauthenticated,
  kTokenExpired,
  kForbidden,
  kNotFound,
  kAlreadyExists,
  kOperationIdReused,
  kBaseNotFound,
  kBaseBelowHorizon,
  kDependsOnRejected,
  kPreconditionFailed,
  kTooLarge,
  kTooDeep,
  kRateLimited,
  kQuotaExceeded,
  kClockSkew,
  kSlowConsumer,
  kUnavailable,
  kDeadlineExceeded,
  kInternal,
};

// What one reason means on the wire and to a caller.
struct ReasonInfo {
  Reason reason;
  absl::string_view name;  // The wire code, e.g. "already_exists".
  absl::StatusCode code;   // The canonical code that carries it.
  bool retryable;          // The same request may succeed later, unchanged.
};

// All reasons, in the order of the enumeration.
absl::Span<const ReasonInfo> AllReasons();
const ReasonInfo& InfoOf(Reason reason);
// The reason named `name`; nothing when there is none.
std::optional<Reason> ReasonFromName(absl::string_view name);

// A status that carries `reason`. `message` is shown to the caller and must hold no secret.
absl::Status MakeError(Reason reason, absl::string_view message);
// The same, naming the place in the request (a JSON pointer or field name) that is at fault.
absl::Status MakeErrorAt(Reason reason, absl::string_view path, absl::string_view message);
// The same, telling the caller to wait at least `retry_after` (whole milliseconds).
absl::Status MakeRetryableError(Reason reason, absl::Duration retry_after,
                                absl::string_view message);

// The reason of a failed status; for a status made elsewhere, the reason nearest its canonical
// code.
Reason ReasonOf(const absl::Status& status);
// The place in the request at fault; empty when none was named.
std::string PathOf(const absl::Status& status);
// How long the caller was told to wait; nothing when it was not told.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace bdcsync
