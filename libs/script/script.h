// A user's Lua 5.4 script that resolves one conflict: compiled once, run any number of times, each
// time in a state of its own in which only values, text and tables can be reached: no files, no
// network, no clock, no randomness. The same script and inputs give the same result everywhere.
// What it may use is limited (limits.h). Thread-safe: any number of threads may run one Script.
// What a script can do and how it is written: docs/scripts.md.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/script/failure.h"
#include "libs/script/limits.h"

namespace bdcsync::script {

// Borrowed; nullptr: does not exist (and the script sees nil).
struct Inputs {
  const json::Value* base = nullptr;
  const json::Value* ours = nullptr;
  const json::Value* theirs = nullptr;
  const json::Value* meta = nullptr;  // An object about the conflict: times, authors, path.
};

class Script {
 public:
  // INVALID_ARGUMENT when `text` is not Lua 5.4 (Failure::kText; the message names the line) or a
  // limit is outside its range: correct it.
  static absl::StatusOr<Script> Compile(absl::string_view text, const Limits& limits = {});

  // Runs the script. Its result, or nothing when that is "does not exist". All errors are of the
  // script or its inputs: the same call fails again, so use the rule's `else`. FailureOf() tells
  // them apart; PathOf() is the place in the result, where one is at fault.
  //   INVALID_ARGUMENT    the script raised an error (kRaised) or returned something that is no
  //                       JSON (kResult), too large or too deep (kOutput).
  //   RESOURCE_EXHAUSTED  it reached its limit of instructions or memory.
  absl::StatusOr<std::optional<json::Value>> Resolve(const Inputs& inputs) const;

  const Limits& limits() const { return limits_; }

 private:
  Script(std::string chunk, bool expects_zero_bytes, const Limits& limits)
      : chunk_(std::move(chunk)), expects_zero_bytes_(expects_zero_bytes), limits_(limits) {}

  std::string chunk_;  // What Lua made of the text.
  bool expects_zero_bytes_;
  Limits limits_;
};

}  // namespace bdcsync::script
