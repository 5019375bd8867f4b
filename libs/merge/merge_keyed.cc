// Lists whose elements are known by their keys, and sets: membership, contents and order apart.
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/merge/list_ids.h"
#include "libs/merge/merger.h"
#include "libs/merge/order_merge.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;

const Array& ArrayOf(const Value* value) {
  static const auto& empty = *new Array;
  return value != nullptr && value->is_array() ? value->array() : empty;
}

std::vector<size_t> PositionsOf(const std::vector<uint32_t>& ids, uint32_t count) {
  std::vector<size_t> positions(count);
  for (size_t i = 0; i < ids.size(); ++i) positions[ids[i]] = i;
  return positions;
}

bool HasDuplicates(const std::vector<uint32_t>& ids, uint32_t count) {
  std::vector<bool> seen(count, false);
  for (const uint32_t id : ids) {
    if (seen[id]) return true;
    seen[id] = true;
  }
  return false;
}

}  // namespace

bool Merger::MergeKeyedList(const Value* base, Value& theirs, Value& ours, const Place& place) {
  const ListIds ids = IdsByKeys(ArrayOf(base), theirs.array(), ours.array(), place.policy.keys);
  if (!ids.problem.empty()) {
    AddNote(absl::StrCat(ids.problem, "; merged as a sequence"));
    return false;
  }
  std::vector<Element> elements(ids.count, {{nullptr, nullptr, nullptr}});
  for (size_t i = 0; i < ids.base.size(); ++i) {
    elements[ids.base[i]].versions.base = &base->array()[i];
  }
  for (size_t i = 0; i < ids.theirs.size(); ++i) {
    elements[ids.theirs[i]].versions.theirs = &theirs.array()[i];
  }
  for (size_t i = 0; i < ids.ours.size(); ++i) {
    elements[ids.ours[i]].versions.ours = &ours.array()[i];
  }
  const std::vector<bool> moved_by_theirs = MovedIn(ids.base, ids.theirs, ids.count);
  const std::vector<bool> moved_by_ours = MovedIn(ids.base, ids.ours, ids.count);
  const auto merge = [&](uint32_t id) {
    Element& element = elements[id];
    element.moved_by_theirs = moved_by_theirs[id];
    element.moved_by_ours = moved_by_ours[id];
    const auto& [base_element, in_theirs, in_ours] = element.versions;
    path_.push_back({nullptr, in_theirs != nullptr ? in_theirs : in_ours, &place.policy.keys});
    const Outcome outcome = MergeElement(element, place);
    path_.pop_back();
    if (outcome == Outcome::kTheirs) element.result = in_theirs;
    if (outcome == Outcome::kOurs) element.result = in_ours;
  };
  for (const uint32_t id : ids.theirs) merge(id);
  for (const uint32_t id : ids.ours) {
    if (elements[id].versions.theirs == nullptr) merge(id);
  }
  Array merged;
  const std::vector<uint32_t> order = MergeOrder(ids, elements, place);
  merged.reserve(order.size());
  for (const uint32_t id : order) merged.push_back(std::move(*elements[id].result));
  theirs.array() = std::move(merged);
  return true;
}

Merger::Outcome Merger::MergeElement(const Element& element, const Place& place) {
  const auto& [base, theirs, ours] = element.versions;
  const Place inside = PlaceAt(rules_.Element(place.state), place.policy);
  const bool removed = base != nullptr && (theirs == nullptr) != (ours == nullptr);
  const bool moved = removed && (element.moved_by_theirs || element.moved_by_ours);
  if (moved && *base == (theirs != nullptr ? *theirs : *ours)) {
    // An edit is worth more than a removal; a place in a list is not.
    const Side remover = theirs == nullptr ? Side::kTheirs : Side::kOurs;
    const Clash clash{base, theirs, ours, ConflictKind::kMoveDelete};
    Verdict verdict{RuleKind::kDeleteWins, remover};
    if (inside.policy.on_delete == OnDelete::kElse || options_.standing) {
      verdict = Judge(&inside.policy, clash);
    }
    return Settle(element.versions, std::move(verdict), clash.kind);
  }
  return Merge(element.versions, inside);
}

std::vector<uint32_t> Merger::MergeOrder(const ListIds& ids, const std::vector<Element>& elements,
                                         const Place& place) {
  std::vector<bool> kept(ids.count, false);
  for (uint32_t id = 0; id < ids.count; ++id) kept[id] = elements[id].result != nullptr;
  MergedOrder order = MergeOrders(ids, kept, {}, options_.later);
  if (order.contested.empty()) return std::move(order.ids);
  const std::vector<size_t> in_base = PositionsOf(ids.base, ids.count);
  const std::vector<size_t> in_theirs = PositionsOf(ids.theirs, ids.count);
  const std::vector<size_t> in_ours = PositionsOf(ids.ours, ids.count);
  std::vector<Side> winners(ids.count, Side::kTheirs);
  for (const uint32_t id : order.contested) {
    path_.push_back({nullptr, elements[id].result, &place.policy.keys});
    Verdict verdict = Judge(&place.policy, Clash{.kind = ConflictKind::kMoveMove});
    winners[id] = verdict.chosen.value_or(Side::kTheirs);
    Decision decision = DecisionHere(verdict.rule, ConflictKind::kMoveMove);
    decision.base = Value(in_base[id]);
    decision.theirs = Value(in_theirs[id]);
    decision.ours = Value(in_ours[id]);
    decision.chosen = verdict.chosen;
    decision.ask = std::move(verdict.ask);
    Record(std::move(decision));
    path_.pop_back();
  }
  return MergeOrders(ids, kept, winners, options_.later).ids;
}

bool Merger::MergeSet(const Versions& versions) {
  const auto& [base, theirs, ours] = versions;
  if (!theirs->is_array() || !ours->is_array()) return false;
  const ListIds ids = IdsByValue(ArrayOf(base), theirs->array(), ours->array());
  std::vector<const Value*> in_base(ids.count, nullptr);
  std::vector<Value*> in_theirs(ids.count, nullptr);
  std::vector<Value*> in_ours(ids.count, nullptr);
  for (size_t i = 0; i < ids.base.size(); ++i) in_base[ids.base[i]] = &base->array()[i];
  for (size_t i = 0; i < ids.theirs.size(); ++i) in_theirs[ids.theirs[i]] = &theirs->array()[i];
  for (size_t i = 0; i < ids.ours.size(); ++i) in_ours[ids.ours[i]] = &ours->array()[i];
  std::vector<bool> kept(ids.count, false);
  bool lost = HasDuplicates(ids.theirs, ids.count) || HasDuplicates(ids.ours, ids.count);
  for (uint32_t id = 0; id < ids.count; ++id) {
    const bool both = in_theirs[id] != nullptr && in_ours[id] != nullptr;
    const bool any = in_theirs[id] != nullptr || in_ours[id] != nullptr;
    kept[id] = both || (any && in_base[id] == nullptr);
    lost = lost || (any && !kept[id]);
  }
  if (lost) {
    Decision decision = DecisionHere(RuleKind::kSetUnion, ConflictKind::kNone);
    decision.chosen = Side::kMerged;
    if (base != nullptr) decision.base = *base;
    decision.theirs = *theirs;
    decision.ours = *ours;
    Record(std::move(decision));
  }
  Array merged;
  for (const uint32_t id : MergeOrders(ids, kept, {}, options_.later).ids) {
    // Equal numbers may differ in their digits: those that were written anew.
    const bool old =
        in_ours[id] == nullptr || (in_base[id] != nullptr && Identical(*in_ours[id], *in_base[id]));
    merged.push_back(std::move(old && in_theirs[id] != nullptr ? *in_theirs[id] : *in_ours[id]));
  }
  theirs->array() = std::move(merged);
  if (lost) result_.decisions.back().result = *theirs;
  return true;
}

}  // namespace bdcsync::merge
