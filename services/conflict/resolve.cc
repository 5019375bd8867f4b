#include "services/conflict/resolve.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/rpc/status.h"
#include "services/conflict/opening.h"
#include "services/conflict/told_apart.h"
#include "services/conflict/write_times.h"

namespace bdcsync::conflict {
namespace {

constexpr absl::string_view kMerged = "merged";

bool IsStorable(absl::string_view text) { return text.find('\0') == absl::string_view::npos; }

absl::Status Validate(const v1::ResolveItem& item) {
  RETURN_IF_ERROR(entity::ValidateKey(entity::ViewOf(item.entity())));
  if (item.theirs_writes_size() > kWritesMax) {
    return MakeErrorAt(Reason::kInvalidArgument, "theirs_writes",
                       absl::StrCat("at most ", kWritesMax, " versions are told of"));
  }
  const auto is_graph = [](unsigned char c) { return absl::ascii_isgraph(c); };
  if (item.op_id().empty() || item.op_id().size() > kOperationIdBytesMax ||
      !absl::c_all_of(item.op_id(), is_graph)) {
    return MakeErrorAt(Reason::kInvalidArgument, "op_id", "op_id must be 1 to 64 visible letters");
  }
  for (const v1::Side* side : {&item.base(), &item.theirs(), &item.ours()}) {
    if (IsStorable(side->user_id()) && IsStorable(side->device_id()) &&
        IsStorable(side->version_id()) && IsStorable(side->app_version())) {
      continue;
    }
    return MakeErrorAt(Reason::kInvalidArgument, "side", "ids must not hold NUL");
  }
  return absl::OkStatus();
}

// The strongest rule that was needed, when the decisions are told as one.
merge::RuleKind StrongestRule(const merge::MergeResult& merged) {
  merge::RuleKind strongest = merge::RuleKind::kThreeWay;
  for (const auto* decisions : {&merged.decisions, &merged.conflicts}) {
    for (const merge::Decision& decision : *decisions) {
      strongest = std::max(strongest, decision.rule);
    }
  }
  return strongest;
}

struct Sides {
  Document base;
  Document theirs;
  Document ours;
};

void SetText(const Document& document, std::string& out) {
  if (document) json::AppendTo(*document, out);
}

v1::Decision AboutWhole(const merge::MergeResult& merged, const Sides& sides) {
  v1::Decision whole;
  whole.set_rule(std::string(merge::RuleName(StrongestRule(merged))));
  SetText(sides.base, *whole.mutable_base());
  SetText(sides.theirs, *whole.mutable_theirs());
  SetText(sides.ours, *whole.mutable_ours());
  return whole;
}

// Answers for other programs, if somebody asks them; leaves places of `ask` open unless the item is
// to be decided without asking.
class ItemEvaluator final : public merge::RuleEvaluator {
 public:
  ItemEvaluator(const ResolveContext& context, int item, bool without_asking)
      : context_(context), item_(item), without_asking_(without_asking) {}

  merge::Answer Evaluate(const merge::Question& question) override {
    if (question.rule.kind == merge::RuleKind::kAsk) {
      merge::Answer answer;
      if (!without_asking_) answer.kind = merge::Answer::Kind::kPending;
      return answer;
    }
    return context_.ask_remote ? context_.ask_remote(item_, question)
                               : merge::NotFollowed(question.rule.kind);
  }

 private:
  const ResolveContext& context_;
  const int item_;
  const bool without_asking_;
};

}  // namespace

// Remembers each outcome for the items that meet it.
class Resolving::Items {
 public:
  Items(const v1::ResolveRequest& request, const ResolveContext& context)
      : request_(request),
        context_(context),
        meetings_{context.rules,
                  context.now_ms,
                  context.limits.clock_skew_max,
                  context.limits.matching_work_max,
                  context.on_script,
                  context.has_time_for_script},
        outcomes_(request.items_size()),
        decided_(request.items_size(), false) {
    resolved_.response.mutable_results()->Reserve(request.items_size());
    for (int i = 0; i < request.items_size(); ++i) resolved_.response.add_results();
    resolved_.rule_set_versions.resize(request.items_size());
  }

  bool Advance() {
    bool all = true;
    for (int i = 0; i < request_.items_size(); ++i) {
      if (!decided_[i] && !MeetsUndecided(i)) AdvanceItem(i);
      all = all && decided_[i];
    }
    return all;
  }

  Resolved& resolved() { return resolved_; }

 private:
  // Whether the item meets the outcome of one that is not decided yet.
  bool MeetsUndecided(int index) const {
    const uint32_t met = request_.items(index).theirs_item();
    return met > 0 && met <= static_cast<uint32_t>(index) && !decided_[met - 1];
  }

  void AdvanceItem(int index) {
    v1::ResolveResult& result = *resolved_.response.mutable_results(index);
    const absl::StatusOr<bool> decided = Decide(index, result);
    decided_[index] = !decided.ok() || *decided;
    if (decided.ok()) return;
    result.Clear();
    outcomes_[index] = decided.status();
    rpc::ToProto(decided.status(), *result.mutable_error());
  }

  absl::StatusOr<Document> ReadTheirs(int index, SideReader& reader) const {
    const v1::ResolveItem& item = request_.items(index);
    if (item.theirs_item() == 0) return reader.Read("theirs", item.theirs());
    if (item.theirs_item() > static_cast<uint32_t>(index)) {
      return MakeErrorAt(Reason::kInvalidArgument, "theirs_item", "no such item before this one");
    }
    const absl::StatusOr<Document>& outcome = outcomes_[item.theirs_item() - 1];
    if (outcome.ok()) return outcome;
    return MakeError(Reason::kDependsOnRejected, "the item that it meets was refused");
  }

  absl::StatusOr<Sides> ReadSides(int index) const {
    const v1::ResolveItem& item = request_.items(index);
    SideReader reader;
    Sides sides;
    ASSIGN_OR_RETURN(sides.base, reader.Read("base", item.base()));
    ASSIGN_OR_RETURN(sides.theirs, ReadTheirs(index, reader));
    ASSIGN_OR_RETURN(sides.ours, reader.Read("ours", item.ours()));
    return sides;
  }

  // False: other programs have to be asked first.
  absl::StatusOr<bool> Decide(int index, v1::ResolveResult& result) {
    const v1::ResolveItem& item = request_.items(index);
    RETURN_IF_ERROR(Validate(item));
    const uint32_t met = item.theirs_item();
    if (met > 0 && met <= static_cast<uint32_t>(index) &&
        resolved_.response.results(static_cast<int>(met) - 1).wants_writes()) {
      WantWrites(index, result);
      return true;
    }
    ASSIGN_OR_RETURN(Sides sides, ReadSides(index));
    const bool main = entity::ViewOf(item.entity()).branch == entity::kMainBranch;
    ItemEvaluator evaluator(context_, index, item.without_asking() || !main);
    WriteTimes times(
        request_, index, [this](int before) -> const Document& { return Met(before); },
        [this](int before) -> const Document& { return *outcomes_[before]; },
        look_steps_[FirstMet(index)]);
    // Of a head that follows the base at once, the whole was written when it was made.
    const bool by_place =
        item.theirs_item() > 0 || item.can_tell_writes() || !item.theirs_writes().empty();
    MeetingRules rules({item.entity(), item.base(), item.theirs(), item.ours()}, meetings_,
                       &evaluator, by_place ? &times : nullptr);
    ASSIGN_OR_RETURN(
        merge::MergeResult merged,
        merge::Merge(sides.base, std::move(sides.theirs), std::move(sides.ours), rules.options()));
    if (times.wants_writes()) {
      WantWrites(index, result);
      return true;
    }
    if (merged.pending > 0) return false;
    resolved_.rule_set_versions[index] = rules.rule_set_version();
    if (!merged.conflicts.empty()) {
      RETURN_IF_ERROR(Ask(index, rules, merged, result));
      return true;
    }
    WriteDocument(merged.value, *result.mutable_merged());
    if (AreToldApart(merged.decisions, context_.limits.decisions_max)) {
      for (const merge::Decision& decision : merged.decisions) {
        rules.AddTo(decision, *result.add_decisions());
      }
    } else {  // The merge used the sides up.
      ASSIGN_OR_RETURN(sides, ReadSides(index));
      v1::Decision& whole = *result.add_decisions() = AboutWhole(merged, sides);
      whole.set_chosen(std::string(kMerged));
      whole.set_result(result.merged().data());
    }
    outcomes_[index] = std::move(merged.value);
    return true;
  }

  // The item is to be asked about again.
  void WantWrites(int index, v1::ResolveResult& result) {
    result.set_wants_writes(true);
    outcomes_[index] = MakeError(Reason::kDependsOnRejected, "the item that it meets is undecided");
  }

  // The item with which the series of those that meet each other began.
  int FirstMet(int index) const {
    while (request_.items(index).theirs_item() > 0) {
      index = static_cast<int>(request_.items(index).theirs_item()) - 1;
    }
    return index;
  }

  // The state that the item met, which is decided.
  const Document& Met(int index) {
    const v1::ResolveItem& item = request_.items(index);
    if (item.theirs_item() > 0) return *outcomes_[item.theirs_item() - 1];
    const auto known = met_.find(index);
    if (known != met_.end()) return known->second;
    SideReader reader;
    absl::StatusOr<Document> read = reader.Read("theirs", item.theirs());
    return met_.emplace(index, read.ok() ? *std::move(read) : Document()).first->second;
  }

  // Keeps the change out: the outcome is theirs.
  absl::Status Ask(int index, const MeetingRules& rules, const merge::MergeResult& merged,
                   v1::ResolveResult& result) {
    ASSIGN_OR_RETURN(Sides sides, ReadSides(index));
    WriteDocument(sides.theirs, *result.mutable_merged());
    v1::Conflict& conflict = *result.mutable_conflict();
    const OpeningDefaults defaults{context_.now_ms, context_.limits.ask_deadline,
                                   context_.limits.ask_fallback};
    conflict = OpeningOf(request_.items(index), merged.conflicts, defaults);
    conflict.set_rule_set_version(rules.rule_set_version());
    if (AreToldApart(merged.conflicts, kOpenPlacesMax)) {
      for (int i = 0; i < conflict.places_size(); ++i) {
        rules.AddTo(merged.conflicts[i], *conflict.mutable_places(i)->mutable_decision());
      }
    } else {
      *conflict.mutable_places(0)->mutable_decision() = AboutWhole(merged, sides);
    }
    outcomes_[index] = std::move(sides.theirs);
    return absl::OkStatus();
  }

  const v1::ResolveRequest& request_;
  const ResolveContext& context_;
  const MeetingContext meetings_;
  std::vector<absl::StatusOr<Document>> outcomes_;  // Of the items that are decided.
  std::vector<bool> decided_;
  std::map<int, size_t> look_steps_;  // By the item with which a series began.
  std::map<int, Document> met_;       // By item; read again where times are looked for.
  Resolved resolved_;
};

absl::string_view MeetingKindName(MeetingKind kind) {
  switch (kind) {
    case MeetingKind::kClean:
      return "clean";
    case MeetingKind::kOverlap:
      return "overlap";
    case MeetingKind::kDeleteOrEdit:
      return "delete_or_edit";
    case MeetingKind::kAsked:
      return "asked";
    case MeetingKind::kRefused:
      break;
  }
  return "refused";
}

MeetingKind KindOf(const v1::ResolveResult& result) {
  if (result.has_error()) return MeetingKind::kRefused;
  if (result.has_conflict()) return MeetingKind::kAsked;
  MeetingKind kind = MeetingKind::kClean;
  for (const v1::Decision& decision : result.decisions()) {
    if (decision.kind() == merge::ConflictKindName(merge::ConflictKind::kEditDelete)) {
      return MeetingKind::kDeleteOrEdit;
    }
    // One about the whole value has no kind: it is told by its rule.
    const bool none = decision.kind() == merge::ConflictKindName(merge::ConflictKind::kNone) ||
                      decision.rule() == merge::RuleName(merge::RuleKind::kThreeWay);
    if (!none) kind = MeetingKind::kOverlap;
  }
  return kind;
}

Resolving::Resolving(const v1::ResolveRequest& request, const ResolveContext& context)
    : items_(std::make_unique<Items>(request, context)) {}

Resolving::~Resolving() = default;

bool Resolving::Advance() { return items_->Advance(); }

const v1::ResolveResult& Resolving::result(int item) const {
  return items_->resolved().response.results(item);
}

Resolved Resolving::Take() { return std::move(items_->resolved()); }

Resolved Resolve(const v1::ResolveRequest& request, const ResolveContext& context) {
  Resolving resolving(request, context);
  (void)resolving.Advance();
  return resolving.Take();
}

}  // namespace bdcsync::conflict
