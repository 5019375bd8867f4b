#include "libs/script/failure.h"

#include <array>
#include <cstddef>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "libs/base/errors.h"
#include "libs/script/utf8.h"

namespace bdcsync::script {
namespace {

constexpr absl::string_view kFailureUrl = "bdcsync/script_failure";
constexpr size_t kMessageBytesMax = 500;

struct Info {
  Failure failure;
  absl::string_view name;
  Reason reason;
};

constexpr std::array kInfos = {
    Info{Failure::kText, "text", Reason::kInvalidArgument},
    Info{Failure::kRaised, "raised", Reason::kInvalidArgument},
    Info{Failure::kResult, "result", Reason::kInvalidArgument},
    Info{Failure::kOutput, "output", Reason::kTooLarge},
    Info{Failure::kInstructions, "instructions", Reason::kQuotaExceeded},
    Info{Failure::kMemory, "memory", Reason::kQuotaExceeded},
};

std::string Printable(absl::string_view message) {
  const bool cut = message.size() > kMessageBytesMax;
  if (cut) message = message.substr(0, kMessageBytesMax);
  while (cut && !message.empty() && !IsValidUtf8(message) &&
         (static_cast<unsigned char>(message.back()) & 0x80) != 0) {
    message.remove_suffix(1);  // What is left of a character that was cut.
  }
  std::string text = IsValidUtf8(message) ? std::string(message) : absl::CHexEscape(message);
  if (cut) text += " ...";
  return text;
}

absl::Status Make(Failure failure, Reason reason, absl::string_view path,
                  absl::string_view message) {
  absl::Status status = MakeErrorAt(reason, path, Printable(message));
  status.SetPayload(kFailureUrl, absl::Cord(FailureName(failure)));
  return status;
}

}  // namespace

absl::string_view FailureName(Failure failure) {
  return kInfos[static_cast<size_t>(failure)].name;
}

std::optional<Failure> FailureOf(const absl::Status& status) {
  const auto name = status.GetPayload(kFailureUrl);
  if (!name.has_value()) return std::nullopt;
  for (const Info& info : kInfos) {
    if (*name == info.name) return info.failure;
  }
  return std::nullopt;
}

absl::Status MakeFailure(Failure failure, absl::string_view message, absl::string_view path) {
  return Make(failure, kInfos[static_cast<size_t>(failure)].reason, path, message);
}

absl::Status MakeTooDeep(absl::string_view message, absl::string_view path) {
  return Make(Failure::kOutput, Reason::kTooDeep, path, message);
}

}  // namespace bdcsync::script
