// What the merge knows of the scripts of rules: that there are such, and how one is asked. A
// program that links a language gives a compiler to the parser of rule sets; the merge itself links
// none.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::merge {

// Borrowed; nullptr: does not exist.
struct ScriptInputs {
  const json::Value* base = nullptr;
  const json::Value* theirs = nullptr;
  const json::Value* ours = nullptr;
  const json::Value* meta = nullptr;
};

// Ready to run. Immutable, thread-safe. The same inputs always give the same result.
class CompiledScript {
 public:
  virtual ~CompiledScript() = default;
  // The value that it gives, or nothing for "does not exist". Any error is the script's: it decides
  // nothing.
  virtual absl::StatusOr<std::optional<json::Value>> Run(const ScriptInputs& inputs) const = 0;
};

// Thread-safe.
class ScriptCompiler {
 public:
  virtual ~ScriptCompiler() = default;
  // kInvalidArgument, whose message names the line, when `text` is no script.
  virtual absl::StatusOr<std::shared_ptr<const CompiledScript>> Compile(
      absl::string_view text) const = 0;
};

}  // namespace bdcsync::merge
