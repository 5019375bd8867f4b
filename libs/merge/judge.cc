// What rules decide between two changes that meet.
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/json/decimal_math.h"
#include "libs/merge/merger.h"

namespace bdcsync::merge {
namespace {

using json::Value;

bool AllNumbers(const Value* base, const Value* theirs, const Value* ours) {
  return theirs != nullptr && theirs->is_number() && ours != nullptr && ours->is_number() &&
         (base == nullptr || base->is_number());
}

bool BothStrings(const Value* theirs, const Value* ours) {
  return theirs != nullptr && theirs->is_string() && ours != nullptr && ours->is_string();
}

// Below, equal to or above 0; nothing when the two have no order.
std::optional<int> Compare(const Value* a, const Value* b) {
  if (AllNumbers(nullptr, a, b)) return json::CompareNumbers(a->number_text(), b->number_text());
  if (BothStrings(a, b)) return a->string().compare(b->string());
  return std::nullopt;
}

// The side whose state is further; nothing when none is, or both are.
std::optional<Side> Further(const StateMachine& machine, const Value* base, const Value& theirs,
                            const Value& ours) {
  const auto allowed = [&](const Value& to) {
    if (base == nullptr) return machine.Knows(to.string());
    return base->is_string() && machine.Reaches(base->string(), to.string());
  };
  if (!allowed(theirs) || !allowed(ours)) return std::nullopt;
  const bool to_ours = machine.Reaches(theirs.string(), ours.string());
  const bool to_theirs = machine.Reaches(ours.string(), theirs.string());
  if (to_ours == to_theirs) return std::nullopt;
  return to_ours ? Side::kOurs : Side::kTheirs;
}

// Whether somebody outside decides.
bool IsAsked(RuleKind rule) {
  return rule == RuleKind::kScript || rule == RuleKind::kRemote || rule == RuleKind::kAsk;
}

bool Is(const std::optional<Value>& value, const Value* other) {
  return value ? other != nullptr && *value == *other : other == nullptr;
}

}  // namespace

Answer NotFollowed(RuleKind rule) {
  Answer answer;
  answer.note = absl::StrCat("rule ", RuleName(rule), " is not followed here");
  return answer;
}

Merger::Verdict Merger::Judge(const Rule* rule, const Clash& clash) {
  std::optional<ConflictKind> kind;
  for (; rule != nullptr; rule = rule->otherwise.get()) {
    std::optional<Verdict> verdict = Try(*rule, clash);
    if (verdict) {
      if (!verdict->kind) verdict->kind = kind;
      return *std::move(verdict);
    }
    const bool broken =
        rule->kind == RuleKind::kStateMachine && BothStrings(clash.theirs, clash.ours);
    if (broken) kind = ConflictKind::kViolation;
  }
  Verdict last;
  last.kind = kind;
  last.chosen = options_.standing ? *options_.standing : LaterHere();
  last.rule = RuleKind::kLastWriteWins;
  if (options_.standing) {
    last.rule = last.chosen == Side::kOurs ? RuleKind::kOurs : RuleKind::kTheirs;
  }
  return last;
}

std::optional<Merger::Verdict> Merger::Try(const Rule& rule, const Clash& clash) {
  const Value* const base = clash.base;
  const Value* const theirs = clash.theirs;
  const Value* const ours = clash.ours;
  const bool merges = rule.kind == RuleKind::kCounter || rule.kind == RuleKind::kText;
  if (options_.standing && !merges) return std::nullopt;
  switch (rule.kind) {
    case RuleKind::kOurs:
      return Verdict{rule.kind, Side::kOurs};
    case RuleKind::kTheirs:
      return Verdict{rule.kind, Side::kTheirs};
    case RuleKind::kFirstWrite:
      return Verdict{rule.kind, LaterHere() == Side::kOurs ? Side::kTheirs : Side::kOurs};
    case RuleKind::kLastWriteWins:
      return Verdict{rule.kind, LaterHere()};
    case RuleKind::kScript:
    case RuleKind::kRemote:
    case RuleKind::kAsk:
      return TryEvaluator(rule, clash);
    case RuleKind::kCounter: {
      if (!AllNumbers(base, theirs, ours)) return std::nullopt;
      std::optional<Value> sum =
          json::AddAndSubtract(*theirs, *ours, base != nullptr ? *base : Value(0));
      if (!sum) return std::nullopt;
      return Verdict{rule.kind, Side::kMerged, std::move(sum), ConflictKind::kNone};
    }
    case RuleKind::kMax:
    case RuleKind::kMin: {
      const std::optional<int> order = Compare(theirs, ours);
      if (!order) return std::nullopt;
      const bool ours_wins = rule.kind == RuleKind::kMax ? *order < 0 : *order > 0;
      return Verdict{rule.kind, ours_wins ? Side::kOurs : Side::kTheirs};
    }
    case RuleKind::kText:
      return TryText(rule, clash);
    case RuleKind::kStateMachine: {
      if (!BothStrings(theirs, ours)) return std::nullopt;
      const std::optional<Side> further = Further(*rule.machine, base, *theirs, *ours);
      if (!further) return std::nullopt;
      return Verdict{rule.kind, further};
    }
    default:
      return std::nullopt;
  }
}

std::optional<Merger::Verdict> Merger::TryText(const Rule& rule, const Clash& clash) {
  const Value* const base = clash.base;
  if (!BothStrings(clash.theirs, clash.ours) || base == nullptr || !base->is_string()) {
    return std::nullopt;
  }
  const auto merge = [&](Side winner) {
    return text_merger_.Merge(base->string(), clash.theirs->string(), clash.ours->string(), winner);
  };
  // `decided` says who decided about what both replaced.
  const auto merged_to = [&rule, &clash](const MergedText& merged, RuleKind decided) {
    if (!merged.overlapped) {
      return Verdict{rule.kind, Side::kMerged, Value(merged.text), ConflictKind::kNone};
    }
    // Where nothing else of the loser stands, the winner was preferred as a whole.
    for (const auto& [side, text] :
         {std::pair(Side::kTheirs, clash.theirs), std::pair(Side::kOurs, clash.ours)}) {
      if (merged.text == text->string()) {
        return Verdict{decided, side, std::nullopt, ConflictKind::kRegion};
      }
    }
    return Verdict{decided, Side::kMerged, Value(merged.text), ConflictKind::kRegion};
  };
  const Rule* const otherwise = rule.otherwise.get();
  if (otherwise != nullptr && IsAsked(otherwise->kind)) {  // Nobody is asked without need.
    const MergedText merged = merge(options_.later);
    if (!merged.overlapped) return merged_to(merged, rule.kind);
  }
  Verdict overlap = Judge(otherwise, clash);
  const bool has_winner = overlap.chosen == Side::kOurs || overlap.chosen == Side::kTheirs;
  const MergedText merged = merge(has_winner ? *overlap.chosen : options_.later);
  // What a person chose is theirs to answer for, also where the rest of the text is merged.
  const RuleKind decided = overlap.rule == RuleKind::kAsk ? RuleKind::kAsk : rule.kind;
  if (!merged.overlapped || has_winner) return merged_to(merged, decided);
  overlap.kind = ConflictKind::kRegion;
  return overlap;
}

std::optional<Merger::Verdict> Merger::TryEvaluator(const Rule& rule, const Clash& clash) {
  const bool asks = rule.kind == RuleKind::kAsk;
  if (clash.of_places() && !asks) return std::nullopt;  // A place in a list is no value.
  if (options_.evaluator != nullptr) {
    const std::string path = PathHere();
    if (has_too_many_paths()) return std::nullopt;
    return TakeAnswer(rule, clash,
                      options_.evaluator->Evaluate({rule, path, clash.kind, clash.base,
                                                    clash.theirs, clash.ours, clash.region}));
  }
  Answer open;
  open.kind = Answer::Kind::kPending;
  return TakeAnswer(rule, clash, asks ? open : NotFollowed(rule.kind));
}

std::optional<Merger::Verdict> Merger::TakeAnswer(const Rule& rule, const Clash& clash,
                                                  Answer answer) {
  const bool asks = rule.kind == RuleKind::kAsk;
  if (!answer.note.empty()) AddNote(answer.note);
  Verdict verdict{rule.kind, std::nullopt};
  if (asks) verdict.ask = rule.ask;
  switch (answer.kind) {
    case Answer::Kind::kElse:
      return std::nullopt;
    case Answer::Kind::kPending:
      verdict.pending = !asks;
      return verdict;
    case Answer::Kind::kSide:
      verdict.chosen = answer.side;
      return verdict;
    case Answer::Kind::kValue:
      break;
  }
  const bool no_array = clash.region != nullptr && answer.value && !answer.value->is_array();
  if (clash.kind == ConflictKind::kMoveMove || no_array) {
    AddNote(absl::StrCat("what rule ", RuleName(rule.kind), " gave cannot stand here"));
    return std::nullopt;
  }
  if (!asks && Is(answer.value, clash.theirs)) {
    verdict.chosen = Side::kTheirs;
  } else if (!asks && Is(answer.value, clash.ours)) {
    verdict.chosen = Side::kOurs;
  } else if (!asks && Is(answer.value, clash.base)) {
    verdict.chosen = Side::kBase;
  } else {
    verdict.chosen = Side::kValue;
    verdict.value = std::move(answer.value);
  }
  return verdict;
}

Merger::Verdict Merger::JudgeRemoval(const Rule& policy, const Clash& clash) {
  if (options_.standing) return Judge(nullptr, clash);
  const bool ours_removed = clash.ours == nullptr;
  switch (policy.on_delete) {
    case OnDelete::kEditWins:
      break;
    case OnDelete::kDeleteWins:
      return {RuleKind::kDeleteWins, ours_removed ? Side::kOurs : Side::kTheirs};
    case OnDelete::kElse:
      return Judge(&policy, clash);
    case OnDelete::kAskRule:
      if (std::optional<Verdict> verdict = Try(policy, clash)) return *std::move(verdict);
      if (policy.otherwise != nullptr) return JudgeRemoval(*policy.otherwise, clash);
      break;
  }
  return {RuleKind::kEditWins, ours_removed ? Side::kTheirs : Side::kOurs};
}

}  // namespace bdcsync::merge
