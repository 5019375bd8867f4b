#include "libs/base/errors.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace bdcsync {
namespace {

constexpr absl::string_view kReasonUrl = "bdcsync/reason";
constexpr absl::string_view kPathUrl = "bdcsync/path";
constexpr absl::string_view kRetryAfterUrl = "bdcsync/retry_after_ms";

using absl::StatusCode;
constexpr std::array kReasons = {
    ReasonInfo{Reason::kBadMessage, "bad_message", StatusCode::kInvalidArgument, false},
    ReasonInfo{Reason::kUnknownType, "unknown_type", StatusCode::kUnimplemented, false},
    ReasonInfo{Reason::kInvalidArgument, "invalid_argument", StatusCode::kInvalidArgument, false},
    ReasonInfo{Reason::kUnauthenticated, "unauthenticated", StatusCode::kUnauthenticated, false},
    ReasonInfo{Reason::kTokenExpired, "token_expired", StatusCode::kUnauthenticated, false},
    ReasonInfo{Reason::kForbidden, "forbidden", StatusCode::kPermissionDenied, false},
    ReasonInfo{Reason::kNotFound, "not_found", StatusCode::kNotFound, false},
    ReasonInfo{Reason::kAlreadyExists, "already_exists", StatusCode::kAlreadyExists, false},
    ReasonInfo{Reason::kOperationIdReused, "operation_id_reused", StatusCode::kInvalidArgument,
               false},
    ReasonInfo{Reason::kBaseNotFound, "base_not_found", StatusCode::kFailedPrecondition, false},
    ReasonInfo{Reason::kBaseBelowHorizon, "base_below_horizon", StatusCode::kFailedPrecondition,
               false},
    ReasonInfo{Reason::kDependsOnRejected, "depends_on_rejected", StatusCode::kFailedPrecondition,
               false},
    ReasonInfo{Reason::kPreconditionFailed, "precondition_failed", StatusCode::kAborted, false},
    ReasonInfo{Reason::kTooLarge, "too_large", StatusCode::kInvalidArgument, false},
    ReasonInfo{Reason::kTooDeep, "too_deep", StatusCode::kInvalidArgument, false},
    ReasonInfo{Reason::kRateLimited, "rate_limited", StatusCode::kResourceExhausted, true},
    ReasonInfo{Reason::kQuotaExceeded, "quota_exceeded", StatusCode::kResourceExhausted, false},
    ReasonInfo{Reason::kClockSkew, "clock_skew", StatusCode::kInvalidArgument, false},
    ReasonInfo{Reason::kSlowConsumer, "slow_consumer", StatusCode::kResourceExhausted, true},
    ReasonInfo{Reason::kUnavailable, "unavailable", StatusCode::kUnavailable, true},
    ReasonInfo{Reason::kDeadlineExceeded, "deadline_exceeded", StatusCode::kDeadlineExceeded, true},
    ReasonInfo{Reason::kInternal, "internal", StatusCode::kInternal, false},
};

std::optional<std::string> Payload(const absl::Status& status, absl::string_view url) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

Reason NearestReason(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
      return Reason::kInvalidArgument;
    case StatusCode::kUnauthenticated:
      return Reason::kUnauthenticated;
    case StatusCode::kPermissionDenied:
      return Reason::kForbidden;
    case StatusCode::kNotFound:
      return Reason::kNotFound;
    case StatusCode::kAlreadyExists:
      return Reason::kAlreadyExists;
    case StatusCode::kAborted:
    case StatusCode::kFailedPrecondition:
      return Reason::kPreconditionFailed;
    case StatusCode::kResourceExhausted:
      return Reason::kRateLimited;
    case StatusCode::kUnavailable:
    case StatusCode::kCancelled:
      return Reason::kUnavailable;
    case StatusCode::kDeadlineExceeded:
      return Reason::kDeadlineExceeded;
    case StatusCode::kUnimplemented:
      return Reason::kUnknownType;
    default:
      return Reason::kInternal;
  }
}

}  // namespace

absl::Span<const ReasonInfo> AllReasons() { return kReasons; }

const ReasonInfo& InfoOf(Reason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

std::optional<Reason> ReasonFromName(absl::string_view name) {
  for (const ReasonInfo& info : kReasons) {
    if (info.name == name) return info.reason;
  }
  return std::nullopt;
}

absl::Status MakeError(Reason reason, absl::string_view message) {
  const ReasonInfo& info = InfoOf(reason);
  absl::Status status(info.code, message);
  status.SetPayload(kReasonUrl, absl::Cord(info.name));
  return status;
}

absl::Status MakeErrorAt(Reason reason, absl::string_view path, absl::string_view message) {
  absl::Status status = MakeError(reason, message);
  if (!path.empty()) status.SetPayload(kPathUrl, absl::Cord(path));
  return status;
}

absl::Status MakeRetryableError(Reason reason, absl::Duration retry_after,
                                absl::string_view message) {
  absl::Status status = MakeError(reason, message);
  status.SetPayload(kRetryAfterUrl,
                    absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(retry_after))));
  return status;
}

Reason ReasonOf(const absl::Status& status) {
  if (const auto name = Payload(status, kReasonUrl)) {
    if (const auto reason = ReasonFromName(*name)) return *reason;
  }
  return NearestReason(status.code());
}

std::string PathOf(const absl::Status& status) { return Payload(status, kPathUrl).value_or(""); }

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto text = Payload(status, kRetryAfterUrl);
  int64_t ms = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &ms)) return std::nullopt;
  return absl::Milliseconds(ms);
}

}  // namespace bdcsync
