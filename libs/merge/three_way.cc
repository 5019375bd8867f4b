#include "libs/merge/three_way.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/pointer.h"
#include "libs/merge/merger.h"
#include "libs/merge/place.h"

namespace bdcsync::merge {
namespace {

using json::Object;
using json::Value;

constexpr absl::string_view kKindNames[] = {"none",      "edit_edit",   "edit_delete",
                                            "add_add",   "type",        "region",
                                            "move_move", "move_delete", "violation"};

const RuleSet& DefaultRules() {
  static const auto& rules = *new RuleSet;
  return rules;
}

// Finds members of one object while another is walked: mostly they come in the same order.
template <typename O>
class Beside {
 public:
  explicit Beside(O* object) : object_(object) {}

  auto Find(const std::string& key) -> decltype(std::declval<O&>().Find(key)) {
    if (object_ == nullptr) return nullptr;
    if (next_ >= object_->size() || object_->at(next_).key != key) {
      const std::optional<size_t> position = object_->PositionOf(key);
      if (!position) return nullptr;
      next_ = *position;
    }
    return At(next_++);
  }

 private:
  auto At(size_t position) {
    if constexpr (std::is_const_v<O>) {
      return &object_->at(position).value;
    } else {
      return &object_->value_at(position);
    }
  }

  O* object_;
  size_t next_ = 0;
};

}  // namespace

absl::string_view ConflictKindName(ConflictKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<ConflictKind> ConflictKindFromName(absl::string_view name) {
  const auto* const found = std::find(std::begin(kKindNames), std::end(kKindNames), name);
  if (found == std::end(kKindNames)) return std::nullopt;
  return static_cast<ConflictKind>(found - std::begin(kKindNames));
}

Merger::Merger(const MergeOptions& options)
    : options_(options),
      rules_(options.rules != nullptr ? *options.rules : DefaultRules()),
      matching_work_(options.matching_work_max),
      word_merger_(matching_work_),
      text_merger_(options.text != nullptr ? *options.text : word_merger_) {}

absl::StatusOr<MergeResult> Merger::Run(const std::optional<Value>& base,
                                        std::optional<Value> theirs, std::optional<Value> ours) {
  if (options_.evaluator != nullptr) options_.evaluator->Begin();
  const Versions versions{base ? &*base : nullptr, theirs ? &*theirs : nullptr,
                          ours ? &*ours : nullptr};
  const Outcome outcome = Merge(versions, PlaceAt(rules_.root(), rules_.everywhere()));
  if (has_too_many_paths()) {
    return MakeError(Reason::kTooLarge,
                     absl::StrCat("the versions differ in too many places below long names: their "
                                  "paths take more than ",
                                  options_.path_bytes_max,
                                  " bytes; read the latest version and make the change on it"));
  }
  switch (outcome) {
    case Outcome::kTheirs:
      result_.value = std::move(theirs);
      break;
    case Outcome::kOurs:
      result_.value = std::move(ours);
      break;
    case Outcome::kGone:
      break;
  }
  return std::move(result_);
}

Merger::Place Merger::PlaceAt(RuleSet::State state, const Rule& above) const {
  const Rule* rule = rules_.RuleAt(state);
  if (rule == nullptr) return {state, above, RuleKind::kThreeWay};
  return {state, *rule, rule->kind};
}

Merger::Outcome Merger::Merge(const Versions& versions, const Place& place) {
  const auto& [base, theirs, ours] = versions;
  if (has_too_many_paths()) return theirs == nullptr ? Outcome::kGone : Outcome::kTheirs;
  if (theirs == nullptr || ours == nullptr) return MergeWhole(versions, place);
  // What all three share says nothing, unless a rule below has a note to make.
  const bool shared = base != nullptr && theirs->SameWords(*base) && ours->SameWords(*base);
  if (shared && place.state == RuleSet::kNoRule) return Outcome::kTheirs;
  const bool objects = theirs->is_object() && ours->is_object();
  const bool arrays = theirs->is_array() && ours->is_array();
  const bool base_array = base != nullptr && base->is_array();
  if (place.kind == RuleKind::kThreeWay && objects) {
    const bool base_object = base != nullptr && base->is_object();
    MergeObjects(base_object ? &base->object() : nullptr, theirs->object(), ours->object(), place);
    return Outcome::kTheirs;
  }
  const bool keyed = place.kind == RuleKind::kKeyedList;
  if (keyed && arrays && MergeKeyedList(base, *theirs, *ours, place)) return Outcome::kTheirs;
  const bool sequence =
      keyed || place.kind == RuleKind::kThreeWay || place.kind == RuleKind::kSequence;
  if (sequence && arrays && base_array && *theirs != *ours) {
    MergeSequence(base->array(), *theirs, *ours, place);
    return Outcome::kTheirs;
  }
  return MergeWhole(versions, place);
}

void Merger::MergeObjects(const Object* base, Object& theirs, Object& ours, const Place& place) {
  Beside<const Object> in_base(base);
  Beside<Object> in_ours(&ours);
  const auto merge = [&](const std::string& key, const Versions& versions) {
    path_.push_back({&key, nullptr, nullptr});
    const Outcome outcome = Merge(versions, PlaceAt(rules_.Member(place.state, key), place.policy));
    path_.pop_back();
    return outcome;
  };
  size_t common = 0;
  std::vector<size_t> gone;  // Ascending positions in theirs.
  const size_t theirs_size = theirs.size();
  for (size_t i = 0; i < theirs_size; ++i) {
    const std::string& key = theirs.at(i).key;
    Value* in_both = in_ours.Find(key);
    common += in_both != nullptr ? 1 : 0;
    const Outcome outcome = merge(key, {in_base.Find(key), &theirs.value_at(i), in_both});
    if (outcome == Outcome::kOurs) theirs.value_at(i) = std::move(*in_both);
    if (outcome == Outcome::kGone) gone.push_back(i);
  }
  std::vector<size_t> added;  // Positions in ours.
  if (common < ours.size()) {
    Beside<Object> in_theirs(&theirs);
    for (size_t i = 0; i < ours.size(); ++i) {
      const std::string& key = ours.at(i).key;
      if (in_theirs.Find(key) != nullptr) continue;
      if (merge(key, {in_base.Find(key), nullptr, &ours.value_at(i)}) == Outcome::kOurs) {
        added.push_back(i);
      }
    }
  }
  if (!gone.empty()) {
    size_t position = 0;
    auto next = gone.begin();
    theirs.EraseIf([&position, &next, &gone](const json::Member&) {
      if (next == gone.end() || *next != position++) return false;
      ++next;
      return true;
    });
  }
  for (const size_t i : added) theirs.Set(ours.at(i).key, std::move(ours.value_at(i)));
}

void Merger::Record(Decision decision) {
  const bool open = !decision.chosen.has_value();
  result_.overlapped = result_.overlapped || open || decision.kind != ConflictKind::kNone;
  (open ? result_.conflicts : result_.decisions).push_back(std::move(decision));
}

Decision Merger::DecisionHere(RuleKind rule, ConflictKind kind) {
  Decision decision;
  decision.path = PathHere();
  decision.rule = rule;
  decision.kind = kind;
  return decision;
}

void Merger::AddNote(absl::string_view text) {
  result_.notes.push_back({PathHere(), std::string(text)});
}

std::string Merger::PathHere() {
  std::string path;
  if (has_too_many_paths()) return path;
  for (Step& step : path_) {
    if (step.member == nullptr && step.token.empty()) {
      step.token = KeyToken(*step.element, *step.keys);
    }
    json::AppendToken(step.member != nullptr ? *step.member : step.token, path);
  }
  path_bytes_ += path.size();
  return path;
}

Side Merger::LaterHere() {
  if (!options_.later_at) return options_.later;
  const std::string path = PathHere();
  return has_too_many_paths() ? options_.later : options_.later_at(path);
}

absl::StatusOr<MergeResult> Merge(const std::optional<Value>& base, std::optional<Value> theirs,
                                  std::optional<Value> ours, const MergeOptions& options) {
  return Merger(options).Run(base, std::move(theirs), std::move(ours));
}

}  // namespace bdcsync::merge
