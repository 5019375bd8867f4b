#include "libs/merge/choose.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::merge {
namespace {

using json::Value;
using Document = std::optional<Value>;

absl::Status Wrong(const std::string& path, absl::string_view what) {
  return MakeErrorAt(Reason::kInvalidArgument, path, what);
}

// The choice that counts for each place: of its path, else the last that names none.
class Choices {
 public:
  absl::Status Read(absl::Span<const Choice> choices, const std::vector<Decision>& open) {
    absl::flat_hash_map<absl::string_view, std::vector<const Decision*>> places;
    for (const Decision& place : open) places[place.path].push_back(&place);
    for (const Choice& choice : choices) {
      if (whole_ != nullptr) return Wrong("", "nothing can be chosen after the whole value was");
      if (choice.paths.empty()) {
        everywhere_ = &choice;
        by_path_.clear();
        if (choice.pick == Pick::kValue) whole_ = &choice;
      }
      for (const std::string& path : choice.paths) {
        const auto found = places.find(path);
        if (found == places.end()) return Wrong(path, "no place that is open has this path");
        if (choice.pick == Pick::kValue) {
          RETURN_IF_ERROR(CheckValue(path, choice.value, found->second));
        }
        by_path_[path] = &choice;
      }
    }
    return absl::OkStatus();
  }

  const Choice* whole() const { return whole_; }
  const Choice* For(const std::string& path) const {
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? everywhere_ : found->second;
  }

 private:
  static absl::Status CheckValue(const std::string& path, const Document& value,
                                 const std::vector<const Decision*>& places) {
    if (places.front()->kind == ConflictKind::kMoveMove) {
      return Wrong(path, "this is a place in a list: choose base, theirs, ours or proposed");
    }
    if (!places.front()->region) return absl::OkStatus();
    if (places.size() > 1) {
      return Wrong(path, "this path names several stretches of a list: choose a side");
    }
    if (value && value->is_array()) return absl::OkStatus();
    return Wrong(path, "a stretch of a list takes a list");
  }

  absl::flat_hash_map<std::string, const Choice*> by_path_;
  const Choice* everywhere_ = nullptr;
  const Choice* whole_ = nullptr;
};

Answer AnswerOf(Pick pick, const Document& value) {
  Answer answer;
  answer.kind = Answer::Kind::kSide;
  switch (pick) {
    case Pick::kBase:
      answer.side = Side::kBase;
      break;
    case Pick::kTheirs:
      answer.side = Side::kTheirs;
      break;
    case Pick::kOurs:
      answer.side = Side::kOurs;
      break;
    case Pick::kProposed:
      answer.kind = Answer::Kind::kElse;
      break;
    case Pick::kValue:
      answer.kind = Answer::Kind::kValue;
      answer.value = value;
      break;
  }
  return answer;
}

// Answers for people; leaves scripts and programs to whom they were left.
class ChoosingEvaluator final : public RuleEvaluator {
 public:
  ChoosingEvaluator(const Choices& choices, const ChooseOptions& options)
      : choices_(choices), options_(options) {}

  void Begin() override {
    if (options_.merge.evaluator != nullptr) options_.merge.evaluator->Begin();
  }
  Answer Evaluate(const Question& question) override {
    if (question.rule.kind != RuleKind::kAsk) {
      if (options_.merge.evaluator != nullptr) return options_.merge.evaluator->Evaluate(question);
      return NotFollowed(question.rule.kind);
    }
    if (const Choice* choice = choices_.For(question.path); choice != nullptr) {
      return AnswerOf(choice->pick, choice->value);
    }
    if (options_.fallback) {
      const AskArguments* const ask = question.rule.ask.get();
      const bool own = ask != nullptr && ask->fallback.has_value();
      return AnswerOf(own ? *ask->fallback : *options_.fallback, std::nullopt);
    }
    Answer open;
    open.kind = Answer::Kind::kPending;
    return open;
  }

 private:
  const Choices& choices_;
  const ChooseOptions& options_;
};

MergeResult WholeValue(const Document& base, const Document& theirs, const Document& ours,
                       const Document& value) {
  MergeResult result;
  Decision decision;
  decision.rule = RuleKind::kAsk;
  decision.kind = ConflictKind::kEditEdit;
  decision.base = base;
  decision.theirs = theirs;
  decision.ours = ours;
  decision.chosen = Side::kValue;
  decision.result = value;
  result.decisions.push_back(std::move(decision));
  result.value = value;
  result.overlapped = true;
  return result;
}

}  // namespace

absl::StatusOr<MergeResult> Choose(const Document& base, const Document& theirs,
                                   const Document& ours, absl::Span<const Choice> choices,
                                   const ChooseOptions& options) {
  ASSIGN_OR_RETURN(const MergeResult open, Merge(base, theirs, ours, options.merge));
  Choices read;
  RETURN_IF_ERROR(read.Read(choices, open.conflicts));
  if (read.whole() != nullptr) return WholeValue(base, theirs, ours, read.whole()->value);
  ChoosingEvaluator evaluator(read, options);
  MergeOptions chosen = options.merge;
  chosen.evaluator = &evaluator;
  return Merge(base, theirs, ours, chosen);
}

}  // namespace bdcsync::merge
