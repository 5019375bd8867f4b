// Values that are merged as a whole.
#include <utility>

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

ConflictKind HowTheyMet(const Value* base, const Value& theirs, const Value& ours) {
  if (base == nullptr) return ConflictKind::kAddAdd;
  return theirs.kind() == ours.kind() ? ConflictKind::kEditEdit : ConflictKind::kType;
}

}  // namespace

Merger::Outcome Merger::MergeWhole(const Versions& versions, const Place& place) {
  const auto& [base, theirs, ours] = versions;
  const Rule& rule = place.policy;
  if (Same(theirs, ours)) {
    if (theirs == nullptr) return Outcome::kGone;
    const bool counted = place.kind == RuleKind::kCounter && AllNumbers(base, theirs, ours);
    if (counted && !Same(base, theirs)) {
      const Clash equal{base, theirs, ours, ConflictKind::kNone};
      return Settle(versions, Judge(&rule, equal), ConflictKind::kNone);
    }
    // Equal numbers may differ in their digits: keep those that were written anew.
    return base != nullptr && Identical(*ours, *base) ? Outcome::kTheirs : Outcome::kOurs;
  }
  if (Same(theirs, base)) return MergeClean(versions, Side::kOurs);
  if (Same(ours, base)) return MergeClean(versions, Side::kTheirs);
  if (theirs == nullptr || ours == nullptr) {
    const Clash removal{base, theirs, ours, ConflictKind::kEditDelete};
    return Settle(versions, JudgeRemoval(rule, removal), removal.kind);
  }
  if (place.kind == RuleKind::kSetUnion && MergeSet(versions)) return Outcome::kTheirs;
  const Clash clash{base, theirs, ours, HowTheyMet(base, *theirs, *ours)};
  return Settle(versions, Judge(&rule, clash), clash.kind);
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
  if (verdict.pending) {
    ++result_.pending;
    return theirs == nullptr ? Outcome::kGone : Outcome::kTheirs;
  }
  Decision decision = DecisionHere(verdict.rule, verdict.kind.value_or(kind));
  decision.chosen = verdict.chosen;
  decision.ask = std::move(verdict.ask);
  decision.base = Copy(base);
  const bool keep_ours = verdict.chosen == Side::kOurs;
  const bool keep_theirs = verdict.chosen == Side::kTheirs || !verdict.chosen;
  decision.theirs = keep_theirs ? Copy(theirs) : Take(theirs);
  decision.ours = keep_ours ? Copy(ours) : Take(ours);
  std::optional<Value> made = std::move(verdict.value);
  if (verdict.chosen == Side::kBase) {
    made = decision.base;
  } else if (!keep_ours && !keep_theirs) {
    decision.result = made;
  }
  Record(std::move(decision));
  if (keep_ours) return ours == nullptr ? Outcome::kGone : Outcome::kOurs;
  if (keep_theirs) return theirs == nullptr ? Outcome::kGone : Outcome::kTheirs;
  if (!made) return Outcome::kGone;
  (theirs != nullptr ? *theirs : *ours) = *std::move(made);
  return theirs != nullptr ? Outcome::kTheirs : Outcome::kOurs;
}

}  // namespace bdcsync::merge
