#include "services/version/testing/fake_desk.h"

#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/json/patch.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/rpc/status.h"

namespace bdcsync::version::testing {
namespace {

using conflict::v1::Choice;
using conflict::v1::Conflict;
using conflict::v1::Side;
using Document = std::optional<json::Value>;

bool IsClosed(const Conflict& conflict) {
  return conflict.state() >= conflict::v1::CONFLICT_STATE_RESOLVED;
}

Document Parsed(const std::string& text) {
  return text.empty() ? Document() : Document(*json::Parse(text));
}

// The last choice that is for the place; null: none.
const Choice* ChoiceFor(const std::string& path, const std::vector<Choice>& choices) {
  const Choice* found = nullptr;
  for (const Choice& choice : choices) {
    if (choice.paths().empty() || absl::c_linear_search(choice.paths(), path)) found = &choice;
  }
  return found;
}

void Put(const std::string& path, const Document& value, Document& document) {
  if (path.empty()) {
    document = value;
    return;
  }
  const std::string pointer = json::Serialize(json::Value(path));
  const bool is_there = json::Resolve(*document, absl::string_view(path)) != nullptr;
  if (!value.has_value() && !is_there) return;
  const std::string patch = value.has_value()
                                ? absl::StrCat(R"([{"op":"add","path":)", pointer, R"(,"value":)",
                                               json::Serialize(*value), "}]")
                                : absl::StrCat(R"([{"op":"remove","path":)", pointer, "}]");
  (void)json::ApplyPatch(*document, *json::Parse(patch), {});
}

void SetDocument(const Document& document, Side& side) {
  side.set_exists(document.has_value());
  side.set_data(TextOf(document));
}

}  // namespace

void FakeDesk::RecordFacts(conflict::v1::RecordFactsRequest request,
                           Callback<conflict::v1::RecordFactsResponse> callback) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(hold_facts_, false)) {
      held_facts_ = [this, request = std::move(request), callback = std::move(callback)]() mutable {
        RecordFacts(std::move(request), std::move(callback));
      };
      return;
    }
  }
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    status = failure_.ok() ? facts_failure_ : failure_;
    if (status.ok()) {
      for (const conflict::v1::Fact& fact : request.facts()) {
        facts_.push_back(fact);
        const std::string& id = fact.conflict().conflict_id();
        const bool forget = fact.conflict().state() == conflict::v1::CONFLICT_STATE_OPENING;
        const auto record = records_.try_emplace(id).first;
        if (!forget && !IsClosed(record->second)) record->second = fact.conflict();
        if (record->second.conflict_id().empty()) records_.erase(record);
      }
    }
  }
  if (status.ok()) {
    callback(conflict::v1::RecordFactsResponse());
  } else {
    callback(status);
  }
}

Conflict FakeDesk::RecordOf(const std::string& id) {
  const auto record = records_.find(id);
  if (record != records_.end()) return record->second;
  const auto asked = resolver_.asked();
  const auto opening = asked.find(id);
  return opening == asked.end() ? Conflict() : opening->second;
}

void FakeDesk::GetConflicts(conflict::v1::GetConflictsRequest request,
                            Callback<conflict::v1::GetConflictsResponse> callback) {
  absl::StatusOr<conflict::v1::GetConflictsResponse> answer = conflict::v1::GetConflictsResponse();
  {
    absl::MutexLock lock(&mutex_);
    for (const std::string& id : request.conflict_ids()) {
      conflict::v1::ConflictOrError& found = *answer->add_conflicts();
      *found.mutable_conflict() = RecordOf(id);
      if (!found.conflict().conflict_id().empty()) continue;
      found.clear_conflict();
      rpc::ToProto(MakeError(Reason::kNotFound, "no such conflict"), *found.mutable_error());
    }
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

conflict::v1::DecideResult FakeDesk::DecideItem(const conflict::v1::DecideItem& item) {
  conflict::v1::DecideResult result;
  *result.mutable_conflict() = RecordOf(item.conflict_id());
  if (IsClosed(result.conflict())) {
    rpc::ToProto(MakeError(Reason::kPreconditionFailed, "closed"), *result.mutable_error());
    return result;
  }
  std::vector<Choice>& kept = kept_[item.conflict_id()];
  std::vector<Choice> choices = kept;
  choices.insert(choices.end(), item.choices().begin(), item.choices().end());
  merge::MergeResult merged = resolver_.Merge(item.base(), item.theirs(), item.ours(), true);
  const Document proposed = resolver_.Merge(item.base(), item.theirs(), item.ours(), false).value;
  SetDocument(proposed, *result.mutable_proposed());
  Choice fallback;
  fallback.set_choice("ours");
  for (const merge::Decision& place : merged.conflicts) {
    const Choice* choice = ChoiceFor(place.path, choices);
    if (choice == nullptr && item.with_fallbacks()) choice = &fallback;
    if (choice == nullptr) {
      *result.add_open() = PlaceOf(place);
      continue;
    }
    const Document value = choice->choice() == "base"     ? place.base
                           : choice->choice() == "theirs" ? place.theirs
                           : choice->choice() == "ours"   ? place.ours
                                                          : Parsed(choice->value());
    Put(place.path, value, merged.value);
    conflict::v1::Decision& decision = *result.add_decisions();
    decision = PlaceOf(place).decision();
    decision.set_chosen(choice->choice());
    decision.set_result(TextOf(value));
  }
  if (item.keep() && !result.open().empty()) kept = choices;
  SetDocument(merged.value, *result.mutable_merged());
  return result;
}

void FakeDesk::Decide(conflict::v1::DecideRequest request,
                      Callback<conflict::v1::DecideResponse> callback) {
  std::function<void()> hook;
  {
    absl::MutexLock lock(&mutex_);
    hook = std::exchange(hook_, nullptr);
  }
  if (hook) hook();
  absl::StatusOr<conflict::v1::DecideResponse> answer = conflict::v1::DecideResponse();
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& item : request.items()) *answer->add_results() = DecideItem(item);
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void FakeDesk::PlanUndo(conflict::v1::PlanUndoRequest request,
                        Callback<conflict::v1::PlanUndoResponse> callback) {
  absl::StatusOr<conflict::v1::PlanUndoResponse> answer = conflict::v1::PlanUndoResponse();
  {
    absl::MutexLock lock(&mutex_);
    plan_request_ = request;
    if (!failure_.ok() || !plan_.ok()) {
      answer = failure_.ok() ? plan_.status() : failure_;
    } else {
      *answer->mutable_merged() = *plan_;
    }
  }
  callback(std::move(answer));
}

void FakeDesk::RecordUndone(conflict::v1::RecordUndoneRequest request,
                            Callback<conflict::v1::RecordUndoneResponse> callback) {
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    status = failure_;
    if (status.ok()) undone_.push_back(request);
  }
  if (status.ok()) {
    callback(conflict::v1::RecordUndoneResponse());
  } else {
    callback(status);
  }
}

void FakeDesk::PlanFor(absl::StatusOr<Side> merged) {
  absl::MutexLock lock(&mutex_);
  plan_ = std::move(merged);
}

void FakeDesk::RefuseFacts(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  facts_failure_ = std::move(status);
}

void FakeDesk::FailWith(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

void FakeDesk::BeforeNextDecide(std::function<void()> hook) {
  absl::MutexLock lock(&mutex_);
  hook_ = std::move(hook);
}

void FakeDesk::HoldFacts() {
  absl::MutexLock lock(&mutex_);
  hold_facts_ = true;
}

void FakeDesk::ReleaseFacts() {
  absl::AnyInvocable<void()> held;
  {
    absl::MutexLock lock(&mutex_);
    held = std::exchange(held_facts_, nullptr);
  }
  if (held != nullptr) held();
}

void FakeDesk::Forget() {
  absl::MutexLock lock(&mutex_);
  records_.clear();
}

Conflict FakeDesk::Record(const std::string& conflict_id) {
  absl::MutexLock lock(&mutex_);
  return RecordOf(conflict_id);
}

std::vector<conflict::v1::Fact> FakeDesk::facts() {
  absl::MutexLock lock(&mutex_);
  return facts_;
}

std::vector<conflict::v1::RecordUndoneRequest> FakeDesk::undone() {
  absl::MutexLock lock(&mutex_);
  return undone_;
}

conflict::v1::PlanUndoRequest FakeDesk::last_plan() {
  absl::MutexLock lock(&mutex_);
  return plan_request_;
}

}  // namespace bdcsync::version::testing
