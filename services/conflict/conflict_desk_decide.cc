// Decide: conflicts merged as was chosen, in rounds while other programs are asked.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/rpc/status.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/desk_request.h"
#include "services/conflict/stored_conflicts.h"

namespace bdcsync::conflict {
namespace {

// Asks about the places of one item.
class ItemQuestions final : public merge::RuleEvaluator {
 public:
  ItemQuestions(int item, RemoteQuestions& questions) : item_(item), questions_(questions) {}
  merge::Answer Evaluate(const merge::Question& question) override {
    return questions_.Evaluate(item_, question);
  }

 private:
  const int item_;
  RemoteQuestions& questions_;
};

}  // namespace

// One call, from its first round to its answer.
struct ConflictDesk::DecideCall {
  DecideCall(ConflictDesk& desk, const v1::DecideRequest& asked, Answer<v1::DecideResponse> then)
      : request(asked),
        answer(std::move(then)),
        trace(CallScope::Current()),
        under_way(std::make_unique<DeskCalls::UnderWay>(desk.calls_)),
        rounds(desk.remote_, [this](int item) { return MeetingOf(item); }),
        decided(static_cast<size_t>(asked.items_size())) {
    for (int i = 0; i < request.items_size(); ++i) response.add_results();
  }

  std::shared_ptr<const RemoteMeeting> MeetingOf(int index) const {
    const v1::DecideItem& item = request.items(index);
    const v1::Conflict& conflict = found.at(item.conflict_id()).conflict;
    auto meeting = std::make_shared<RemoteMeeting>();
    meeting->op_id = conflict.op_id();
    meeting->entity = conflict.entity();
    meeting->entity.set_branch(std::string(entity::kMainBranch));
    meeting->base = item.base();
    meeting->theirs = item.theirs();
    meeting->ours = item.ours();
    meeting->ours.set_app_version(conflict.app_version());
    return meeting;
  }

  void End(absl::StatusOr<v1::DecideResponse> with) {
    answer(std::move(with));
    under_way = nullptr;  // Whoever was asked may keep the call for longer.
  }

  const v1::DecideRequest request;
  Answer<v1::DecideResponse> answer;
  const CallTrace trace;
  std::unique_ptr<DeskCalls::UnderWay> under_way;  // From round to round.
  ConflictsById found;
  bool has_read = false;
  RemoteRounds rounds;
  std::vector<bool> decided;  // By item.
  v1::DecideResponse response;
};

void ConflictDesk::Decide(const v1::DecideRequest& request, Answer<v1::DecideResponse> answer) {
  if (request.items_size() > kDeskItemsMax) {
    return answer(MakeErrorAt(Reason::kInvalidArgument, "items",
                              absl::StrCat("a call holds at most ", kDeskItemsMax, " conflicts")));
  }
  // Shared with the programs that are asked: the last answer goes on with it.
  Continue(std::make_shared<DecideCall>(*this, request, std::move(answer)));
}

void ConflictDesk::Continue(const std::shared_ptr<DecideCall>& call) {
  calls_.Run<bool>(
      [this, call]() -> absl::StatusOr<bool> {
        const CallScope scope(call->trace);
        while (true) {
          (void)call->rounds.Begin();
          ASSIGN_OR_RETURN(const bool all, DecideAll(*call));
          if (all) return true;
          if (!call->rounds.Ask([this, call] { Continue(call); })) return false;
        }
      },
      [call](const absl::StatusOr<bool>& all) {
        if (!all.ok()) return call->End(all.status());
        if (!*all) return;
        call->rounds.End();
        call->End(std::move(call->response));
      });
}

absl::StatusOr<bool> ConflictDesk::DecideAll(DecideCall& call) {
  if (!call.has_read) {
    std::vector<std::string> ids;
    for (const v1::DecideItem& item : call.request.items()) ids.push_back(item.conflict_id());
    ASSIGN_OR_RETURN(call.found, ReadConflicts(storage_, std::move(ids)));
    call.has_read = true;
  }
  bool all = true;
  for (int i = 0; i < call.request.items_size(); ++i) {
    if (!call.decided[i]) call.decided[i] = DecideOne(i, call);
    all = all && call.decided[i];
  }
  return all;
}

bool ConflictDesk::DecideOne(int index, DecideCall& call) {
  v1::DecideResult& result = *call.response.mutable_results(index);
  const auto at = call.found.find(call.request.items(index).conflict_id());
  if (at == call.found.end()) {
    rpc::ToProto(NoSuchConflict(), *result.mutable_error());
    return true;
  }
  const absl::StatusOr<bool> decided = Merge(index, at->second, call);
  if (decided.ok() && !*decided) return false;
  if (!decided.ok()) {
    result.Clear();
    rpc::ToProto(decided.status(), *result.mutable_error());
  }
  *result.mutable_conflict() = at->second.conflict;
  return true;
}

// What others keep meanwhile counts too: between them all may be chosen.
absl::StatusOr<bool> ConflictDesk::Merge(int index, StoredConflict& stored, DecideCall& call) {
  const v1::DecideItem& item = call.request.items(index);
  v1::DecideResult& result = *call.response.mutable_results(index);
  for (int i = 0; i < kDeskAttemptsMax; ++i) {
    if (IsClosed(stored.conflict.state())) return ConflictIsClosed();
    RETURN_IF_ERROR(CheckChoices(item));
    ASSIGN_OR_RETURN(const std::vector<v1::Choice> kept, ChoicesOf(stored));
    ItemQuestions remote(index, call.rounds.questions());
    result.Clear();
    ASSIGN_OR_RETURN(const bool merged, merger_.Merge(stored.conflict, item, kept, remote, result));
    if (!merged) return false;
    if (!item.keep() || item.choices().empty() || result.open().empty()) return true;
    ASSIGN_OR_RETURN(const bool done, Keep(item, kept, stored));
    if (done) return true;
    ASSIGN_OR_RETURN(ConflictsById found, ReadConflicts(storage_, {item.conflict_id()}));
    if (found.empty()) return NoSuchConflict();
    stored = std::move(found.begin()->second);
  }
  return MakeError(Reason::kUnavailable, "others decide about the conflict at this moment");
}

absl::StatusOr<bool> ConflictDesk::Keep(const v1::DecideItem& item,
                                        const std::vector<v1::Choice>& kept,
                                        const StoredConflict& stored) {
  v1::DecideItem choices;
  for (v1::Choice& choice : FoldChoices(kept, item)) *choices.add_choices() = std::move(choice);
  if (choices.choices_size() > kChoicesMax || choices.ByteSizeLong() > kKeptChoicesBytesMax) {
    return MakeErrorAt(Reason::kTooLarge, "choices", "too much is chosen to be kept");
  }
  absl::StatusOr<bool> done =
      storage_.KeepChoices(item.conflict_id(), stored.choices, choices.SerializeAsString());
  return done.ok() ? done : ConflictsUnavailable(done.status());
}

}  // namespace bdcsync::conflict
