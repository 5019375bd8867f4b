// Values that are merged as a whole, and what rules decide between two of them.
#include <utility>

#include "libs/json/decimal_math.h"
#include "libs/merge/merger.h"

namespace bdcsync::merge {
namespace {

using json::Value;

// Equal, where nullptr is "does not exist".
bool Same(const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

std::optional<Value> Copy(const Value* value) {
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}

std::optional<Value> Take(Value* value) {
  return value == nullptr ? std::nullopt : std::optional<Value>(std::move(*value));
}

bool AllNumbers(const Value* base, const Value* theirs, const Value* ours) {
  return theirs != nullptr && theirs->is_number() && ours != nullptr && ours->is_number() &&
         (base == nullptr || base->is_number());
}

bool BothStrings(const Value* theirs, const Value* ours) {
  return theirs != nullptr && theirs->is_string() && ours != nullptr && ours->is_string();
}

ConflictKind HowTheyMet(const Value* base, const Value& theirs, const Value& ours) {
  if (base == nullptr) return ConflictKind::kAddAdd;
  return theirs.kind() == ours.kind() ? ConflictKind::kEditEdit : ConflictKind::kType;
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
  const bool theirs_allowed = allowed(theirs);
  const bool ours_allowed = allowed(ours);
  if (theirs_allowed != ours_allowed) return std::nullopt;
  if (!theirs_allowed) return std::nullopt;
  const bool to_ours = machine.Reaches(theirs.string(), ours.string());
  const bool to_theirs = machine.Reaches(ours.string(), theirs.string());
  if (to_ours == to_theirs) return std::nullopt;
  return to_ours ? Side::kOurs : Side::kTheirs;
}

}  // namespace

Merger::Outcome Merger::MergeWhole(const Versions& versions, const Place& place) {
  const auto& [base, theirs, ours] = versions;
  const Rule& rule = place.policy;
  if (Same(theirs, ours)) {
    if (theirs == nullptr) return Outcome::kGone;
    const bool counted = place.kind == RuleKind::kCounter && AllNumbers(base, theirs, ours);
    if (counted && !Same(base, theirs)) {
      return Settle(versions, Judge(&rule, base, theirs, ours), ConflictKind::kNone);
    }
    // Equal numbers may differ in their digits: keep those that were written anew.
    return base != nullptr && Identical(*ours, *base) ? Outcome::kTheirs : Outcome::kOurs;
  }
  if (Same(theirs, base)) return MergeClean(versions, Side::kOurs);
  if (Same(ours, base)) return MergeClean(versions, Side::kTheirs);
  if (theirs == nullptr || ours == nullptr) {
    return Settle(versions, JudgeRemoval(rule, base, theirs, ours), ConflictKind::kEditDelete);
  }
  if (place.kind == RuleKind::kSetUnion && MergeSet(versions)) return Outcome::kTheirs;
  return Settle(versions, Judge(&rule, base, theirs, ours), HowTheyMet(base, *theirs, *ours));
}

Merger::Outcome Merger::MergeClean(const Versions& versions, Side changed) {
  Value* const kept = changed == Side::kOurs ? versions.ours : versions.theirs;
  Value* const lost = changed == Side::kOurs ? versions.theirs : versions.ours;
  if (lost != nullptr) return Settle(versions, {RuleKind::kThreeWay, changed}, ConflictKind::kNone);
  if (kept == nullptr) return Outcome::kGone;  // Added: nothing is lost.
  return changed == Side::kOurs ? Outcome::kOurs : Outcome::kTheirs;
}

Merger::Outcome Merger::Settle(const Versions& versions, Verdict verdict, ConflictKind kind) {
  const auto& [base, theirs, ours] = versions;
  Decision decision = DecisionHere(verdict.rule, verdict.kind.value_or(kind));
  decision.chosen = verdict.chosen;
  decision.base = Copy(base);
  const bool merged = verdict.chosen == Side::kMerged;
  const bool keep_ours = verdict.chosen == Side::kOurs;
  decision.theirs = merged || keep_ours ? Take(theirs) : Copy(theirs);
  decision.ours = keep_ours ? Copy(ours) : Take(ours);
  Record(std::move(decision));
  if (merged) *theirs = *std::move(verdict.value);
  if (keep_ours) return ours == nullptr ? Outcome::kGone : Outcome::kOurs;
  return theirs == nullptr ? Outcome::kGone : Outcome::kTheirs;
}

Merger::Verdict Merger::Judge(const Rule* rule, const Value* base, const Value* theirs,
                              const Value* ours) const {
  std::optional<ConflictKind> kind;
  for (; rule != nullptr; rule = rule->otherwise.get()) {
    std::optional<Verdict> verdict = Try(*rule, base, theirs, ours);
    if (verdict) {
      if (!verdict->kind) verdict->kind = kind;
      return *std::move(verdict);
    }
    const bool broken = rule->kind == RuleKind::kStateMachine && BothStrings(theirs, ours);
    if (broken) kind = ConflictKind::kViolation;
  }
  return {RuleKind::kLastWriteWins, options_.later, std::nullopt, kind};
}

std::optional<Merger::Verdict> Merger::Try(const Rule& rule, const Value* base, const Value* theirs,
                                           const Value* ours) const {
  const Side earlier = options_.later == Side::kOurs ? Side::kTheirs : Side::kOurs;
  switch (rule.kind) {
    case RuleKind::kOurs:
      return Verdict{rule.kind, Side::kOurs};
    case RuleKind::kTheirs:
      return Verdict{rule.kind, Side::kTheirs};
    case RuleKind::kFirstWrite:
      return Verdict{rule.kind, earlier};
    case RuleKind::kLastWriteWins:
      return Verdict{rule.kind, options_.later};
    case RuleKind::kAsk:
      return Verdict{rule.kind, std::nullopt};
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
      return TryText(rule, base, theirs, ours);
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

std::optional<Merger::Verdict> Merger::TryText(const Rule& rule, const Value* base,
                                               const Value* theirs, const Value* ours) const {
  if (!BothStrings(theirs, ours) || base == nullptr || !base->is_string()) return std::nullopt;
  Verdict overlap = Judge(rule.otherwise.get(), base, theirs, ours);
  const bool has_winner = overlap.chosen == Side::kOurs || overlap.chosen == Side::kTheirs;
  MergedText merged = text_merger_.Merge(base->string(), theirs->string(), ours->string(),
                                         has_winner ? *overlap.chosen : options_.later);
  if (merged.overlapped && !has_winner) {
    overlap.kind = ConflictKind::kRegion;
    return overlap;
  }
  return Verdict{rule.kind, Side::kMerged, Value(merged.text),
                 merged.overlapped ? ConflictKind::kRegion : ConflictKind::kNone};
}

Merger::Verdict Merger::JudgeRemoval(const Rule& policy, const Value* base, const Value* theirs,
                                     const Value* ours) const {
  const bool ours_removed = ours == nullptr;
  switch (policy.on_delete) {
    case OnDelete::kEditWins:
      return {RuleKind::kEditWins, ours_removed ? Side::kTheirs : Side::kOurs};
    case OnDelete::kDeleteWins:
      return {RuleKind::kDeleteWins, ours_removed ? Side::kOurs : Side::kTheirs};
    case OnDelete::kElse:
      break;
  }
  return Judge(&policy, base, theirs, ours);
}

Merger::Verdict Merger::JudgePlaces(const Rule& policy) const {
  // No value is given, so only a rule that always decides does.
  return Judge(&policy, nullptr, nullptr, nullptr);
}

}  // namespace bdcsync::merge
