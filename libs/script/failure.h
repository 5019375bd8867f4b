// Why a script gave no result, as a closed set: a label for metrics, and how an error is made.
// Thread-safe: values only.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bdcsync::script {

enum class Failure {
  kText,          // It is not Lua, or too long: correct the script.
  kRaised,        // It stopped with an error, its own or Lua's: correct the script.
  kResult,        // What it returned is no JSON value: correct the script.
  kOutput,        // What it returned is too large or too deep.
  kInstructions,  // It ran for too long.
  kMemory,        // It, or what it was given, needs too much memory.
};

// "text", "raised", "result", "output", "instructions", "memory".
absl::string_view FailureName(Failure failure);
// The failure in a status that Script returned; nothing when there is none.
std::optional<Failure> FailureOf(const absl::Status& status);

// The status for `failure`. `message` may hold any bytes: it is cut and made printable. `path` is
// the place in the result, a JSON pointer; empty when that is not what is at fault.
absl::Status MakeFailure(Failure failure, absl::string_view message, absl::string_view path = "");
// The same for a result that nests too deep, which has a reason of its own.
absl::Status MakeTooDeep(absl::string_view message, absl::string_view path);

}  // namespace bdcsync::script
