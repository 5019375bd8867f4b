#include "services/conflict/dry_run.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "services/conflict/meeting.h"
#include "services/conflict/rebuilt_document.h"
#include "services/conflict/record_desk.h"
#include "services/conflict/recorded_decision.h"
#include "services/conflict/rule_set_registry.h"

namespace bdcsync::conflict {
namespace {

// Times that put the sides into an order; the real ones are not recorded.
constexpr int64_t kBaseMs = 1;
constexpr int64_t kBeforeMs = 1000;
constexpr int64_t kTheirsMs = 2000;
constexpr int64_t kAfterMs = 3000;

struct Rebuilt {
  Document base;
  Document theirs;
  Document ours;
  std::vector<merge::Decision> decisions;  // Whose places the documents hold.
};

bool IsMove(merge::ConflictKind kind) {
  return kind == merge::ConflictKind::kMoveMove || kind == merge::ConflictKind::kMoveDelete;
}

absl::StatusOr<Rebuilt> Rebuild(const v1::Resolution& record) {
  ASSIGN_OR_RETURN(std::vector<merge::Decision> decisions, ReadDecisions(record));
  Rebuilt rebuilt;
  absl::flat_hash_map<std::string, int> seen;
  for (merge::Decision& decision : decisions) {
    // Of several stretches of one list the first is tried.
    if (IsMove(decision.kind) || seen[decision.path]++ > 0) continue;
    const bool put = PutAt(decision.path, decision.base, rebuilt.base) &&
                     PutAt(decision.path, decision.theirs, rebuilt.theirs) &&
                     PutAt(decision.path, decision.ours, rebuilt.ours);
    if (put) rebuilt.decisions.push_back(std::move(decision));
  }
  return rebuilt;
}

const std::optional<json::Value>& OutcomeOf(const merge::Decision& decision) {
  switch (decision.chosen.value_or(merge::Side::kTheirs)) {
    case merge::Side::kBase:
      return decision.base;
    case merge::Side::kTheirs:
      return decision.theirs;
    case merge::Side::kOurs:
      return decision.ours;
    case merge::Side::kMerged:
    case merge::Side::kValue:
      break;
  }
  return decision.result;
}

// Whether ours was the later write, as far as the decisions tell.
bool OursWasLater(const std::vector<merge::Decision>& decisions) {
  for (const merge::Decision& decision : decisions) {
    const bool theirs = decision.chosen == merge::Side::kTheirs;
    const bool ours = decision.chosen == merge::Side::kOurs;
    if (decision.rule == merge::RuleKind::kLastWriteWins && (ours || theirs)) return ours;
    if (decision.rule == merge::RuleKind::kFirstWrite && (ours || theirs)) return theirs;
  }
  return true;
}

// Leaves places of `ask` open.
class OpenOrRemote final : public merge::RuleEvaluator {
 public:
  explicit OpenOrRemote(merge::RuleEvaluator& remote) : remote_(remote) {}
  merge::Answer Evaluate(const merge::Question& question) override {
    if (question.rule.kind != merge::RuleKind::kAsk) return remote_.Evaluate(question);
    merge::Answer open;
    open.kind = merge::Answer::Kind::kPending;
    return open;
  }

 private:
  merge::RuleEvaluator& remote_;
};

// Whether a person would be asked about something within the place.
bool AsksWithin(const std::string& path, const std::vector<merge::Decision>& open) {
  return absl::c_any_of(open, [inner = path + "/"](const merge::Decision& place) {
    return absl::StartsWith(place.path, inner);
  });
}

// What the merge came to at a place that it does not tell of: both changes stand there.
merge::Decision Standing(const merge::Decision& recorded, const Document& merged) {
  merge::Decision standing = recorded;
  standing.rule = merge::RuleKind::kThreeWay;
  standing.chosen = merge::Side::kMerged;
  const json::Value* const value = FindAt(recorded.path, merged);
  standing.result = value == nullptr ? std::nullopt : std::optional<json::Value>(*value);
  return standing;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ActiveRules>> RulesToTry(
    const v1::DryRunRequest& request, const merge::RuleSetContext& context) {
  if (request.rules().size() > kRuleSetBytesMax) {
    return MakeErrorAt(Reason::kTooLarge, "rules", "the rule set is too large");
  }
  absl::StatusOr<json::Value> text = json::Parse(request.rules(), {.depth_max = kRuleSetDepthMax});
  if (!text.ok()) {
    return MakeErrorAt(Reason::kInvalidArgument, "rules", text.status().message());
  }
  ASSIGN_OR_RETURN(merge::RuleSet rules, merge::ParseRuleSet(*text, context));
  ActiveRules::Sets sets;
  sets[request.entity_type()] =
      std::make_shared<const ActiveRuleSet>(ActiveRuleSet{0, std::move(rules)});
  return std::make_shared<const ActiveRules>(std::move(sets));
}

std::shared_ptr<const RemoteMeeting> MeetingOf(const v1::Resolution& record) {
  auto meeting = std::make_shared<RemoteMeeting>();
  meeting->op_id = record.op_id();
  meeting->entity = record.entity();
  meeting->base.set_version_id(record.base_version_id());
  meeting->theirs.set_version_id(record.theirs_version_id());
  meeting->ours.set_user_id(record.user_id());
  meeting->ours.set_device_id(record.device_id());
  meeting->ours.set_app_version(record.app_version());
  for (v1::Side* side : {&meeting->base, &meeting->theirs, &meeting->ours}) side->set_exists(true);
  meeting->has_documents = false;
  return meeting;
}

bool TryRules(const v1::Resolution& record, const ActiveRules& tried, size_t matching_work_max,
              merge::RuleEvaluator& remote, v1::DryRunResponse& response) {
  absl::StatusOr<Rebuilt> rebuilt = Rebuild(record);
  if (!rebuilt.ok()) return true;  // One record that cannot be read stops nobody.
  v1::Side base;
  base.set_time_ms(kBaseMs);
  v1::Side theirs;
  theirs.set_time_ms(kTheirsMs);
  v1::Side ours;
  ours.set_client_time_ms(OursWasLater(rebuilt->decisions) ? kAfterMs : kBeforeMs);
  ours.set_user_id(record.user_id());
  ours.set_device_id(record.device_id());
  ours.set_app_version(record.app_version());
  const MeetingContext context{
      .rules = tried, .now_ms = kAfterMs, .matching_work_max = matching_work_max};
  OpenOrRemote evaluator(remote);
  MeetingRules rules({record.entity(), base, theirs, ours}, context, &evaluator);
  const absl::StatusOr<merge::MergeResult> tried_merge = merge::Merge(
      rebuilt->base, std::move(rebuilt->theirs), std::move(rebuilt->ours), rules.options());
  if (!tried_merge.ok()) return true;  // Nor one that these rules cannot merge.
  const merge::MergeResult& merged = *tried_merge;
  if (merged.pending > 0) return false;
  response.set_records(response.records() + 1);
  response.set_decisions(response.decisions() + static_cast<int64_t>(rebuilt->decisions.size()));
  absl::flat_hash_map<std::string, absl::string_view> notes;
  for (const merge::Note& note : merged.notes) notes[note.path] = note.text;
  absl::flat_hash_map<std::string, const merge::Decision*> by_path;
  for (const merge::Decision& decision : merged.decisions) by_path[decision.path] = &decision;
  for (const merge::Decision& open : merged.conflicts) by_path[open.path] = &open;
  for (const merge::Decision& recorded : rebuilt->decisions) {
    const auto found = by_path.find(recorded.path);
    const merge::Decision now =
        found == by_path.end() ? Standing(recorded, merged.value) : *found->second;
    const auto note = notes.find(recorded.path);
    if (note != notes.end()) response.set_stood_in(response.stood_in() + 1);
    const bool asks = !now.chosen;
    const bool asked = recorded.rule == merge::RuleKind::kAsk;
    if (asks ? asked : OutcomeOf(now) == OutcomeOf(recorded)) continue;
    // A value for the whole was chosen instead of the places that are open.
    if (asked && AsksWithin(recorded.path, merged.conflicts)) continue;
    response.set_changed(response.changed() + 1);
    if (asks) response.set_asked(response.asked() + 1);
    if (response.changes_size() >= kDryRunChangesMax) continue;
    v1::DryRunChange& change = *response.add_changes();
    change.set_op_id(record.op_id());
    *change.mutable_entity() = record.entity();
    rules.AddTo(recorded, *change.mutable_recorded());
    rules.AddTo(now, *change.mutable_tried());
    if (note != notes.end()) change.set_note(std::string(note->second));
  }
  return true;
}

}  // namespace bdcsync::conflict
