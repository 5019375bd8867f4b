// The rule `script` of libs/merge, in Lua (libs/script, docs/scripts.md). Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/merge/evaluator.h"
#include "libs/merge/script_port.h"
#include "libs/script/limits.h"

namespace bdcsync::rules {

// A merge runs scripts for at most this many places; the `else` decides about the others.
inline constexpr size_t kScriptRunsMax = 256;

class LuaCompiler final : public merge::ScriptCompiler {
 public:
  explicit LuaCompiler(const script::Limits& limits = {}) : limits_(limits) {}
  absl::StatusOr<std::shared_ptr<const merge::CompiledScript>> Compile(
      absl::string_view text) const override;

 private:
  const script::Limits limits_;
};

// Decides by scripts during one merge: what a failing script should have decided its `else` does,
// with a note. Not thread-safe.
class ScriptEvaluator final : public merge::RuleEvaluator {
 public:
  struct Hooks {
    // Told how each run ended; DEADLINE_EXCEEDED: it was not begun. May be nothing.
    std::function<void(const absl::Status& run)> on_run;
    // Asked before each run whether there is time for it; may be nothing: always.
    std::function<bool()> has_time;
  };

  // `meta` is an object about the meeting; each script sees it with `path` and `kind` of its place.
  // `others` (borrowed) answers for all rules but `script`; nullptr: nobody does, so that places of
  // `ask` stay open and the `else` of `remote` decides.
  ScriptEvaluator(json::Value meta, merge::RuleEvaluator* others, Hooks hooks)
      : meta_(std::move(meta)), others_(others), hooks_(std::move(hooks)) {}

  void Begin() override;
  merge::Answer Evaluate(const merge::Question& question) override;

 private:
  absl::StatusOr<std::optional<json::Value>> Run(const merge::Question& question);

  json::Value meta_;
  merge::RuleEvaluator* const others_;
  const Hooks hooks_;
  size_t runs_ = 0;  // In this merge.
};

}  // namespace bdcsync::rules
