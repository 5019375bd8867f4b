#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

absl::string_view NoAnswerName(NoAnswer reason) {
  switch (reason) {
    case NoAnswer::kUnknownResolver:
      return "unknown_resolver";
    case NoAnswer::kBreakerOpen:
      return "breaker_open";
    case NoAnswer::kQueueFull:
      return "queue_full";
    case NoAnswer::kQueuedTooLong:
      return "queued_too_long";
    case NoAnswer::kQuestionTooLarge:
      return "question_too_large";
    case NoAnswer::kUnavailable:
      return "unavailable";
    case NoAnswer::kDeadline:
      return "deadline";
    case NoAnswer::kCallFailed:
      return "call_failed";
    case NoAnswer::kInvalidAnswer:
      return "invalid_answer";
    case NoAnswer::kAnswerTooLarge:
      return "answer_too_large";
    case NoAnswer::kUnanswered:
      return "unanswered";
    case NoAnswer::kDeclined:
      return "declined";
    case NoAnswer::kResolverError:
      break;
  }
  return "resolver_error";
}

}  // namespace bdcsync::conflict
