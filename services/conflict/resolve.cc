#include "services/conflict/resolve.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/rpc/status.h"

namespace bdcsync::conflict {
namespace {

using Document = std::optional<json::Value>;  // Nothing: it does not exist.

constexpr absl::string_view kMerged = "merged";

absl::StatusOr<Document> Read(absl::string_view field, const v1::Side& side) {
  if (!side.exists()) return Document();
  absl::StatusOr<json::Value> value = json::Parse(side.data(), {.depth_max = json::kDepthCeiling});
  if (value.ok()) return Document(*std::move(value));
  return MakeErrorAt(Reason::kInvalidArgument, field, value.status().message());
}

bool IsStorable(absl::string_view text) { return text.find('\0') == absl::string_view::npos; }

absl::Status Validate(const v1::ResolveItem& item) {
  RETURN_IF_ERROR(entity::ValidateKey(entity::ViewOf(item.entity())));
  const auto is_graph = [](unsigned char c) { return absl::ascii_isgraph(c); };
  if (item.op_id().empty() || item.op_id().size() > kOperationIdBytesMax ||
      !absl::c_all_of(item.op_id(), is_graph)) {
    return MakeErrorAt(Reason::kInvalidArgument, "op_id", "op_id must be 1 to 64 visible letters");
  }
  for (const v1::Side* side : {&item.base(), &item.theirs(), &item.ours()}) {
    if (IsStorable(side->user_id()) && IsStorable(side->device_id()) &&
        IsStorable(side->version_id())) {
      continue;
    }
    return MakeErrorAt(Reason::kInvalidArgument, "side", "ids must not hold NUL");
  }
  return absl::OkStatus();
}

void SetText(const Document& document, std::string& out) {
  if (document) json::AppendTo(*document, out);
}

void AddDecision(const merge::Decision& decided, v1::ResolveResult& result) {
  v1::Decision& decision = *result.add_decisions();
  decision.set_path(decided.path);
  decision.set_rule(std::string(merge::RuleName(decided.rule)));
  SetText(decided.base, *decision.mutable_base());
  SetText(decided.theirs, *decision.mutable_theirs());
  SetText(decided.ours, *decision.mutable_ours());
  // What is open holds theirs.
  decision.set_chosen(std::string(merge::SideName(decided.chosen.value_or(merge::Side::kTheirs))));
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

void AddDecisions(const merge::MergeResult& merged, v1::ResolveResult& result) {
  for (const auto* decisions : {&merged.decisions, &merged.conflicts}) {
    for (const merge::Decision& decision : *decisions) AddDecision(decision, result);
  }
}

void AddDecisionAboutWhole(const merge::MergeResult& merged, const Sides& sides,
                           v1::ResolveResult& result) {
  v1::Decision& whole = *result.add_decisions();
  whole.set_rule(std::string(merge::RuleName(StrongestRule(merged))));
  SetText(sides.base, *whole.mutable_base());
  SetText(sides.theirs, *whole.mutable_theirs());
  SetText(sides.ours, *whole.mutable_ours());
  whole.set_chosen(std::string(kMerged));
}

// Decides one call; remembers each outcome for the items that meet it.
class Decider {
 public:
  Decider(const v1::ResolveRequest& request, const ResolveLimits& limits)
      : request_(request), limits_(limits), outcomes_(request.items_size()) {}

  v1::ResolveResponse Run() {
    v1::ResolveResponse response;
    response.mutable_results()->Reserve(request_.items_size());
    for (int i = 0; i < request_.items_size(); ++i) {
      v1::ResolveResult& result = *response.add_results();
      if (absl::Status decided = Decide(i, result); !decided.ok()) {
        result.Clear();
        rpc::ToProto(decided, *result.mutable_error());
      }
    }
    return response;
  }

 private:
  absl::StatusOr<Document> ReadTheirs(int index) const {
    const v1::ResolveItem& item = request_.items(index);
    if (item.theirs_item() == 0) return Read("theirs", item.theirs());
    if (item.theirs_item() > static_cast<uint32_t>(index)) {
      return MakeErrorAt(Reason::kInvalidArgument, "theirs_item", "no such item before this one");
    }
    const absl::StatusOr<Document>& outcome = outcomes_[item.theirs_item() - 1];
    if (outcome.ok()) return outcome;
    return MakeError(Reason::kDependsOnRejected, "the item that it meets was refused");
  }

  absl::StatusOr<Sides> ReadSides(int index) const {
    const v1::ResolveItem& item = request_.items(index);
    Sides sides;
    ASSIGN_OR_RETURN(sides.base, Read("base", item.base()));
    ASSIGN_OR_RETURN(sides.theirs, ReadTheirs(index));
    ASSIGN_OR_RETURN(sides.ours, Read("ours", item.ours()));
    return sides;
  }

  absl::Status Decide(int index, v1::ResolveResult& result) {
    const v1::ResolveItem& item = request_.items(index);
    RETURN_IF_ERROR(Validate(item));
    ASSIGN_OR_RETURN(Sides sides, ReadSides(index));
    merge::MergeResult merged =
        merge::Merge(sides.base, std::move(sides.theirs), std::move(sides.ours),
                     {.matching_work_max = limits_.matching_work_max});
    result.mutable_merged()->set_exists(merged.value.has_value());
    SetText(merged.value, *result.mutable_merged()->mutable_data());
    if (merged.decisions.size() + merged.conflicts.size() <= limits_.decisions_max) {
      AddDecisions(merged, result);
    } else {  // The merge used the sides up.
      ASSIGN_OR_RETURN(sides, ReadSides(index));
      AddDecisionAboutWhole(merged, sides, result);
    }
    outcomes_[index] = std::move(merged.value);
    return absl::OkStatus();
  }

  const v1::ResolveRequest& request_;
  const ResolveLimits& limits_;
  std::vector<absl::StatusOr<Document>> outcomes_;  // Of the items so far.
};

}  // namespace

absl::string_view MeetingKindName(MeetingKind kind) {
  switch (kind) {
    case MeetingKind::kClean:
      return "clean";
    case MeetingKind::kOverlap:
      return "overlap";
    case MeetingKind::kDeleteOrEdit:
      return "delete_or_edit";
    case MeetingKind::kRefused:
      break;
  }
  return "refused";
}

MeetingKind KindOf(const v1::ResolveResult& result) {
  if (result.has_error()) return MeetingKind::kRefused;
  MeetingKind kind = MeetingKind::kClean;
  for (const v1::Decision& decision : result.decisions()) {
    if (decision.rule() == merge::RuleName(merge::RuleKind::kEditWins)) {
      return MeetingKind::kDeleteOrEdit;
    }
    if (decision.rule() == merge::RuleName(merge::RuleKind::kLastWriteWins)) {
      kind = MeetingKind::kOverlap;
    }
  }
  return kind;
}

v1::ResolveResponse Resolve(const v1::ResolveRequest& request, const ResolveLimits& limits) {
  return Decider(request, limits).Run();
}

}  // namespace bdcsync::conflict
