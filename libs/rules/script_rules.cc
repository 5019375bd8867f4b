#include "libs/rules/script_rules.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/script/script.h"

namespace bdcsync::rules {
namespace {

using merge::Answer;

class LuaScript final : public merge::CompiledScript {
 public:
  explicit LuaScript(script::Script script) : script_(std::move(script)) {}

  absl::StatusOr<std::optional<json::Value>> Run(const merge::ScriptInputs& inputs) const override {
    return script_.Resolve(
        {.base = inputs.base, .ours = inputs.ours, .theirs = inputs.theirs, .meta = inputs.meta});
  }

 private:
  const script::Script script_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const merge::CompiledScript>> LuaCompiler::Compile(
    absl::string_view text) const {
  ASSIGN_OR_RETURN(script::Script script, script::Script::Compile(text, limits_));
  return std::make_shared<const LuaScript>(std::move(script));
}

void ScriptEvaluator::Begin() {
  runs_ = 0;
  if (others_ != nullptr) others_->Begin();
}

Answer ScriptEvaluator::Evaluate(const merge::Question& question) {
  Answer answer;
  if (question.rule.kind != merge::RuleKind::kScript) {
    if (others_ != nullptr) return others_->Evaluate(question);
    if (question.rule.kind != merge::RuleKind::kAsk) return NotFollowed(question.rule.kind);
    answer.kind = Answer::Kind::kPending;
    return answer;
  }
  if (runs_ == kScriptRunsMax) {
    answer.note = absl::StrCat("more than ", kScriptRunsMax, " places are left to scripts");
    return answer;
  }
  ++runs_;
  absl::StatusOr<std::optional<json::Value>> result = Run(question);
  if (hooks_.on_run) hooks_.on_run(result.status());
  if (result.ok()) {
    answer.kind = Answer::Kind::kValue;
    answer.value = *std::move(result);
  } else {
    answer.note = absl::StrCat("the script decided nothing: ", result.status().message());
  }
  return answer;
}

absl::StatusOr<std::optional<json::Value>> ScriptEvaluator::Run(const merge::Question& question) {
  if (hooks_.has_time && !hooks_.has_time()) {
    return absl::DeadlineExceededError("there is no time left for scripts");
  }
  meta_.Set("path", question.path);
  meta_.Set("kind", merge::ConflictKindName(question.kind));
  return question.rule.script->Run(
      {.base = question.base, .theirs = question.theirs, .ours = question.ours, .meta = &meta_});
}

}  // namespace bdcsync::rules
