#include "services/conflict/rule_merger.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/choose.h"
#include "services/conflict/opening.h"
#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {
namespace {

constexpr absl::string_view kWhole = "";  // The path of the one place that stands for too many.
constexpr int kNotesMax = 64;             // That are told,
constexpr size_t kNotePathsBytesMax = kNotesMax * kToldPathBytes;  // with paths of so many.

struct Sides {
  Document base;
  Document theirs;
  Document ours;
};

absl::StatusOr<merge::Choice> ReadChoice(const v1::Choice& choice) {
  merge::Choice read;
  // Those that are none are refused before.
  read.pick = merge::PickFromName(choice.choice()).value_or(merge::Pick::kTheirs);
  read.paths.assign(choice.paths().begin(), choice.paths().end());
  if (read.pick != merge::Pick::kValue || choice.value().empty()) return read;
  absl::StatusOr<json::Value> value =
      json::Parse(choice.value(), {.depth_max = json::kDepthCeiling});
  if (!value.ok()) {
    const std::string place = read.paths.empty() ? "value" : read.paths.front();
    return MakeErrorAt(Reason::kInvalidArgument, place, value.status().message());
  }
  read.value = *std::move(value);
  return read;
}

// Which places are open now, and which were when the conflict was opened.
class OpenPlaces {
 public:
  OpenPlaces(const v1::Conflict& conflict, const std::vector<merge::Decision>& open,
             merge::Pick fallback)
      : by_default_(fallback) {
    for (const v1::OpenPlace& place : conflict.places()) {
      recorded_[place.decision().path()] = merge::PickFromName(place.fallback()).value_or(fallback);
    }
    for (const merge::Decision& place : open) open_.insert(place.path);
    as_one_ = recorded_.size() == 1 && recorded_.contains(kWhole) && !open_.contains(kWhole);
  }

  // The fallback was fixed when the conflict was opened.
  merge::Pick FallbackOf(const merge::Decision& place) const {
    const auto recorded = recorded_.find(as_one_ ? kWhole : absl::string_view(place.path));
    if (recorded != recorded_.end()) return recorded->second;
    return place.ask == nullptr ? by_default_ : place.ask->fallback.value_or(by_default_);
  }

  // Whether a person, or a fallback, has left the place to the proposal, so that times decided; of
  // a text its rule tells of it.
  bool WasLeftToTimes(const merge::Decision& decision) const {
    const bool by_times =
        decision.rule == merge::RuleKind::kLastWriteWins || decision.rule == merge::RuleKind::kText;
    return by_times && decision.kind != merge::ConflictKind::kNone && open_.contains(decision.path);
  }

  // Adds `choice`, but for places that are no longer open.
  absl::Status Add(merge::Choice choice, std::vector<merge::Choice>& choices) const {
    if (as_one_ && absl::c_linear_search(choice.paths, kWhole)) choice.paths.clear();
    const bool everywhere = choice.paths.empty();
    std::vector<std::string> paths;
    for (std::string& path : choice.paths) {
      if (open_.contains(path)) {
        paths.push_back(std::move(path));
      } else if (!recorded_.contains(path)) {
        return MakeErrorAt(Reason::kInvalidArgument, path, "this place is not open");
      }
    }
    if (paths.empty() && !everywhere) return absl::OkStatus();
    choice.paths = std::move(paths);
    choices.push_back(std::move(choice));
    return absl::OkStatus();
  }

 private:
  const merge::Pick by_default_;
  absl::flat_hash_map<std::string, merge::Pick> recorded_;
  absl::flat_hash_set<std::string> open_;
  bool as_one_ = false;  // More were open than are told apart.
};

// Asks programs, but not about what was left to a person: who has decided would find that a program
// did since. Places of `ask` are open.
class UndecidedPlaces final : public merge::RuleEvaluator {
 public:
  UndecidedPlaces(const v1::Conflict& conflict, merge::RuleEvaluator& remote) : remote_(remote) {
    for (const v1::OpenPlace& place : conflict.places()) {
      left_to_people_.insert(place.decision().path());
    }
  }

  void Begin() override { remote_.Begin(); }
  merge::Answer Evaluate(const merge::Question& question) override {
    merge::Answer answer;
    if (question.rule.kind == merge::RuleKind::kAsk) {
      answer.kind = merge::Answer::Kind::kPending;
      return answer;
    }
    const bool asked = left_to_people_.contains(question.path) || left_to_people_.contains(kWhole);
    if (!asked) return remote_.Evaluate(question);
    answer.note = absl::StrCat("remote ", question.rule.resolver, ": left to a person");
    return answer;
  }

 private:
  merge::RuleEvaluator& remote_;
  absl::flat_hash_set<std::string> left_to_people_;
};

v1::Decision AboutWhole(const v1::DecideItem& item, absl::string_view rule) {
  v1::Decision whole;
  whole.set_rule(std::string(rule));
  if (item.base().exists()) whole.set_base(item.base().data());
  if (item.theirs().exists()) whole.set_theirs(item.theirs().data());
  if (item.ours().exists()) whole.set_ours(item.ours().data());
  return whole;
}

void AddOpen(const v1::DecideItem& item, const MeetingRules& rules, const OpenPlaces& places,
             const merge::MergeResult& merged, v1::DecideResult& result) {
  const bool apart = AreToldApart(merged.conflicts, kOpenPlacesMax);
  for (const merge::Decision& open : merged.conflicts) {
    v1::OpenPlace& place = *result.add_open();
    place.set_fallback(std::string(merge::PickName(places.FallbackOf(open))));
    if (!apart) {
      *place.mutable_decision() = AboutWhole(item, merge::RuleName(merge::RuleKind::kAsk));
      return;
    }
    rules.AddTo(open, *place.mutable_decision());
  }
}

void AddDecisions(const v1::DecideItem& item, const MeetingRules& rules, const OpenPlaces& places,
                  size_t decisions_max, const merge::MergeResult& merged,
                  v1::DecideResult& result) {
  if (!AreToldApart(merged.decisions, decisions_max)) {
    merge::RuleKind strongest = merge::RuleKind::kThreeWay;
    for (const merge::Decision& decision : merged.decisions) {
      strongest = std::max(strongest, decision.rule);
    }
    v1::Decision& whole = *result.add_decisions();
    whole = AboutWhole(item, merge::RuleName(strongest));
    whole.set_chosen(std::string(merge::SideName(merge::Side::kMerged)));
    whole.set_result(result.merged().data());
    return;
  }
  for (const merge::Decision& decision : merged.decisions) {
    v1::Decision& added = *result.add_decisions();
    rules.AddTo(decision, added);
    // Who chose the proposal has decided: analysis and dry runs know it by the rule.
    if (places.WasLeftToTimes(decision)) {
      added.set_rule(std::string(merge::RuleName(merge::RuleKind::kAsk)));
    }
  }
}

// Chooses; of the first `kept_end` choices those that can no longer stand are passed over, for
// nobody is there to choose again.
absl::StatusOr<merge::MergeResult> ChooseWhatStillFits(
    std::vector<merge::Choice> choices, size_t kept_end,
    absl::FunctionRef<absl::StatusOr<merge::MergeResult>(const std::vector<merge::Choice>&)>
        choose) {
  while (true) {
    absl::StatusOr<merge::MergeResult> merged = choose(choices);
    if (merged.ok()) return merged;
    const std::string at_fault = PathOf(merged.status());
    size_t kept = 0;
    while (kept < kept_end && (choices[kept].pick != merge::Pick::kValue ||
                               !absl::c_linear_search(choices[kept].paths, at_fault))) {
      ++kept;
    }
    if (kept == kept_end) return merged.status();
    choices.erase(choices.begin() + static_cast<std::ptrdiff_t>(kept));
    --kept_end;
  }
}

}  // namespace

absl::StatusOr<bool> RuleMerger::Merge(const v1::Conflict& conflict, const v1::DecideItem& item,
                                       const std::vector<v1::Choice>& kept,
                                       merge::RuleEvaluator& remote,
                                       v1::DecideResult& result) const {
  SideReader reader;
  Sides sides;
  ASSIGN_OR_RETURN(sides.base, reader.Read("base", item.base()));
  ASSIGN_OR_RETURN(sides.theirs, reader.Read("theirs", item.theirs()));
  ASSIGN_OR_RETURN(sides.ours, reader.Read("ours", item.ours()));
  const std::shared_ptr<const ActiveRules> active = rules_();
  const MeetingContext context{*active, absl::ToUnixMillis(clock_.Now()), limits_.clock_skew_max,
                               limits_.matching_work_max, on_script_};
  UndecidedPlaces evaluator(conflict, remote);
  MeetingRules rules({conflict.entity(), item.base(), item.theirs(), item.ours()}, context,
                     &evaluator);
  const auto choose = [&](const std::vector<merge::Choice>& choices) {
    return merge::Choose(sides.base, sides.theirs, sides.ours, choices, {.merge = rules.options()});
  };
  ASSIGN_OR_RETURN(const merge::MergeResult proposed, choose({{.pick = merge::Pick::kProposed}}));
  ASSIGN_OR_RETURN(const merge::MergeResult open, choose({}));
  if (proposed.pending + open.pending > 0) return false;  // It is not known what is open.

  const OpenPlaces places(conflict, open.conflicts, limits_.ask_fallback);
  std::vector<merge::Choice> choices;
  if (item.with_fallbacks()) {
    for (const merge::Decision& place : open.conflicts) {
      choices.push_back({.pick = places.FallbackOf(place), .paths = {place.path}});
    }
  }
  for (const v1::Choice& choice : kept) {
    ASSIGN_OR_RETURN(merge::Choice read, ReadChoice(choice));
    // One that no longer has its place was right when it was kept.
    (void)places.Add(std::move(read), choices);
  }
  const size_t kept_end = choices.size();
  for (const v1::Choice& choice : item.choices()) {
    ASSIGN_OR_RETURN(merge::Choice read, ReadChoice(choice));
    RETURN_IF_ERROR(places.Add(std::move(read), choices));
  }
  ASSIGN_OR_RETURN(const merge::MergeResult merged,
                   ChooseWhatStillFits(std::move(choices), kept_end, choose));
  if (merged.pending > 0) return false;
  WriteDocument(merged.value, *result.mutable_merged());
  WriteDocument(proposed.value, *result.mutable_proposed());
  AddOpen(item, rules, places, merged, result);
  AddDecisions(item, rules, places, limits_.decisions_max, merged, result);
  size_t path_bytes = 0;
  for (const merge::Note& note : merged.notes) {
    path_bytes += note.path.size();
    if (result.notes_size() == kNotesMax || path_bytes > kNotePathsBytesMax) break;
    v1::RuleNote& told = *result.add_notes();
    told.set_path(note.path);
    told.set_note(note.text);
  }
  return true;
}

}  // namespace bdcsync::conflict
