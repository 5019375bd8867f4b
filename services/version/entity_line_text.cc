// Text operations of a line: moved from where they were made to the head, over what was committed
// to the text since.
#include <algorithm>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/ot/diff.h"
#include "services/version/entity_line.h"

namespace bdcsync::version {
namespace {

entity::VersionId IdOf(const EntityState& state) { return {state.revision, state.event_id}; }

bool IsText(const Work& work) {
  return work.pending.operation().kind() == common::v1::OPERATION_KIND_TEXT;
}

absl::Status ReadText(Work* work, const DataLimits& limits) {
  if (work->text != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(TextChange asked, ReadTextChange(work->pending.operation().text(), limits));
  work->text = std::make_unique<TextWork>();
  work->text->asked = std::move(asked);
  return absl::OkStatus();
}

int64_t GrowthOfAll(const std::vector<ot::Delta>& all) {
  int64_t growth = 0;
  for (const ot::Delta& ops : all) growth += GrowthOf(ops);
  return growth;
}

absl::Status PastTheEnd(const TextWork& text, int64_t units, absl::string_view sent) {
  const absl::Status fault =
      MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", text.asked.ops.components().size()),
                  absl::StrCat("reaches past the end of a text of ", units, " units"));
  return FaultAsSent(fault, text.asked.ops, units, sent);
}

// Moves the bridge on to the version `to`. False when the trail does not tell how.
bool MoveOn(TextBridge& bridge, absl::string_view path, entity::VersionId to,
            const TextTrail* trail, const DataLimits& limits) {
  if (bridge.to == to) return true;
  if (to.revision - bridge.to.revision > limits.text_distance_max || trail == nullptr ||
      trail->VersionAt(bridge.to.revision) != bridge.to || trail->VersionAt(to.revision) != to) {
    return false;
  }
  for (int64_t revision = bridge.to.revision + 1; revision <= to.revision; ++revision) {
    const TextStep& step = trail->StepTo(revision);
    const TextStep::Bearing bearing = step.BearingOn(path);
    if (bearing == TextStep::Bearing::kUnknown) return false;
    if (bearing == TextStep::Bearing::kKnown) bridge.theirs.push_back(step.text->ops);
  }
  bridge.to = to;
  return true;
}

// The version that a moved operation was made on. When it was written only the trail tells: else
// the clock of the operation is believed.
EntityState NamedState(entity::VersionId named, const TextTrail* trail, int64_t client_time_ms) {
  EntityState state;
  state.revision = named.revision;
  state.event_id = named.event_id;
  state.client_time_ms = client_time_ms;
  if (trail != nullptr && named.revision > trail->from().revision &&
      trail->VersionAt(named.revision) == named) {
    const TextStep& step = trail->StepTo(named.revision);
    state.client_time_ms = step.client_time_ms;
    state.time_ms = step.time_ms;
  }
  return state;
}

}  // namespace

// Whether its client made `work` on top of the operation before it in the batch, whose version it
// could not know.
bool EntityLine::BuiltOnEarlier(const Work& work) {
  return work.earlier != nullptr && work.earlier->ours != nullptr &&
         work.earlier->pending.operation().base_version() ==
             work.pending.operation().base_version();
}

// Whether `work`, which a batch before has committed, stands before in this batch too: its client
// had done it already then.
bool EntityLine::RepeatsEarlier(const Work& work) {
  if (!work.repeated) return false;
  for (const Work* at = &work; BuiltOnEarlier(*at); at = at->earlier) {
    if (IdOf(*at->earlier->ours) == IdOf(*work.ours)) return true;
  }
  return false;
}

// The last operation that `work` was built on and that may be about the text at `path`.
Work* EntityLine::BuiltOn(const Work& work, absl::string_view path, const DataLimits& limits) {
  for (const Work* at = &work; BuiltOnEarlier(*at); at = at->earlier) {
    Work* const earlier = at->earlier;
    if (!IsText(*earlier) || !ReadText(earlier, limits).ok()) return earlier;
    if (Overlap(earlier->text->asked.path, path)) return earlier;
  }
  return nullptr;
}

// From what the client had after `work`, which is decided; nothing when only the states tell.
std::optional<TextBridge> EntityLine::BridgeAfter(Work* work, absl::string_view path,
                                                  const DataLimits& limits) const {
  const TextTrail* const trail = text_.trail();
  std::vector<Work*> repeated;  // Committed by an earlier request, so that nobody has bridged them.
  TextBridge bridge;
  for (Work* at = work;; at = BuiltOn(*at, path, limits)) {
    if (at == nullptr) {
      const auto named = NamedBy(*work);
      if (!named.has_value()) return std::nullopt;
      bridge.to = *named;
      break;
    }
    if (RepeatsEarlier(*at)) continue;
    if (!at->merged) {
      bridge.to = IdOf(*at->ours);
      break;
    }
    if (at->text == nullptr || at->text->asked.path != path) return std::nullopt;
    if (at->text->after.has_value()) {
      bridge = *at->text->after;
      break;
    }
    repeated.push_back(at);
  }
  for (auto at = repeated.rbegin(); at != repeated.rend(); ++at) {
    TextWork& text = *(*at)->text;
    const entity::VersionId made = IdOf(*(*at)->ours);
    const auto before = trail == nullptr ? std::nullopt : trail->VersionAt(made.revision - 1);
    const bool known = before.has_value() && trail->VersionAt(made.revision) == made &&
                       trail->StepTo(made.revision).text.has_value();
    if (!known || !MoveOn(bridge, path, *before, trail, limits) ||
        bridge.WorkToCross(text.asked.ops) > limits.text_steps_work_max) {
      return std::nullopt;
    }
    bridge.Cross(text.asked.ops);
    bridge.to = made;
    text.after = bridge;
  }
  return bridge;
}

// From what the client had when it made `work` to the head; nothing when only the states tell.
absl::StatusOr<std::optional<TextBridge>> EntityLine::BridgeToHead(const Work& work,
                                                                   const DataLimits& limits) const {
  const common::v1::Operation& operation = work.pending.operation();
  if (!UsesBase(operation)) return TextBridge{.to = IdOf(*head_), .theirs = {}};
  const absl::string_view path = work.text->asked.path;
  std::optional<TextBridge> bridge;
  if (BuiltOnEarlier(work)) {
    Work* const built_on = BuiltOn(work, path, limits);
    if (built_on != nullptr) {
      bridge = BridgeAfter(built_on, path, limits);
      if (!bridge.has_value()) return bridge;
    }
  }
  if (!bridge.has_value()) {
    const auto named = NamedBy(work);
    const bool is_stored = named && named->revision == stored_->revision;
    if (!named || named->revision > stored_->revision || (is_stored && *named != IdOf(*stored_))) {
      return BaseNotFound();
    }
    const TextTrail* const trail = text_.trail();
    const auto known = trail == nullptr ? std::nullopt : trail->VersionAt(named->revision);
    if (known.has_value() && *known != *named) return BaseNotFound();
    bridge = TextBridge{.to = *named, .theirs = {}};
  }
  if (!MoveOn(*bridge, path, IdOf(*head_), text_.trail(), limits) ||
      bridge->WorkToCross(work.text->asked.ops) > limits.text_steps_work_max) {
    return std::nullopt;
  }
  return bridge;
}

// What the client had when it made `work`. UNAVAILABLE: it has to be read first.
absl::StatusOr<StatePtr> EntityLine::ClientStateBefore(const Work& work,
                                                       const DataLimits& limits) const {
  if (!BuiltOnEarlier(work)) return NamedBase(work);
  return ClientStateAfter(work.earlier, limits);
}

absl::StatusOr<StatePtr> EntityLine::ClientStateAfter(Work* work, const DataLimits& limits) const {
  if (RepeatsEarlier(*work)) return ClientStateAfter(work->earlier, limits);
  // A merge of another operation than text leaves in `ours` what its client had.
  if (!work->merged || (!IsText(*work) && !work->repeated)) return work->ours;
  if (work->client != nullptr) return work->client;
  ASSIGN_OR_RETURN(const StatePtr before, ClientStateBefore(*work, limits));
  auto after = std::make_shared<EntityState>(*work->ours);
  if (IsText(*work)) {
    RETURN_IF_ERROR(ReadText(work, limits));
    const TextChange& asked = work->text->asked;
    ASSIGN_OR_RETURN(TextDocument document, TextDocument::Open(before->data, asked.path));
    RETURN_IF_ERROR(document.Apply(asked.ops));
    after->deleted = false;
    // May be larger than what is committed: others may have removed text meanwhile.
    std::optional<std::string> data = document.Write(2 * limits.data_bytes_max);
    if (!data) return TextTooLarge(limits);
    after->data = *std::move(data);
  } else {
    ASSIGN_OR_RETURN(Change change, ApplyOperation(work->pending.operation(), *before, limits));
    after->deleted = change.deleted;
    after->data = std::move(change.data);
  }
  work->client = std::move(after);
  return work->client;
}

TextMemory::Range EntityLine::MissingSteps(const DataLimits& limits) const {
  const int64_t head = stored_->revision;
  int64_t lowest = head;
  for (const Work* work : works_) {
    if (const auto from = WritesFrom(*work)) lowest = std::min(lowest, *from);
    if (work->stage != Stage::kWaiting || !IsText(*work) || work->needs_base) continue;
    const auto named = NamedBy(*work);
    if (!named.has_value()) continue;
    int64_t revision = named->revision;
    if (BuiltOnEarlier(*work) && work->earlier->text != nullptr &&
        work->earlier->text->after.has_value()) {
      revision = work->earlier->text->after->to.revision;
    }
    if (head - revision <= limits.text_distance_max) lowest = std::min(lowest, revision);
  }
  // A trail may begin after the head, with what this run has not stored yet: nobody waits for that.
  const TextTrail* const trail = text_.trail();
  const int64_t known = trail == nullptr ? head : std::min(head, trail->from().revision);
  if (lowest >= known) return {};
  return text_.Missing(lowest, *stored_);
}

void EntityLine::AddSteps(const event_store::v1::ReadStreamResponse& page,
                          const TextMemory::Range& asked) {
  if (stored_ == nullptr || text_.AddOlder(page, asked, *stored_)) return;
  for (Work* work : works_) {
    if (work->stage != Stage::kWaiting) continue;
    work->needs_base = work->needs_base || IsText(*work);
    work->does_without_writes = work->times_wanted > 0;
  }
}

bool EntityLine::DecideText(Work* work, const Tools& tools, Questions& questions) {
  const auto refuse = [&](absl::Status error) {
    Refuse(work, std::move(error), tools, questions);
    return false;
  };
  if (absl::Status read = ReadText(work, tools.limits); !read.ok()) return refuse(std::move(read));
  if (open_meeting_ != 0) return false;  // The head is not known.
  absl::StatusOr<std::optional<TextBridge>> bridge = BridgeToHead(*work, tools.limits);
  if (!bridge.ok()) return refuse(std::move(bridge).status());
  if (bridge->has_value()) {
    const bool on_head = !UsesBase(work->pending.operation()) || MadeOnHead(*work);
    work->text->route = on_head ? TextRoute::kHead : TextRoute::kSteps;
    return MakeTextReady(work, **std::move(bridge), tools, questions);
  }
  const absl::StatusOr<StatePtr> client = ClientStateBefore(*work, tools.limits);
  if (absl::IsUnavailable(client.status())) {
    work->needs_base = true;
    questions.needs_bases = true;
    return false;
  }
  if (!client.ok()) return refuse(client.status());
  return DecideTextByStates(work, *client, tools, questions);
}

bool EntityLine::MadeOnHead(const Work& work) const {
  if (!BuiltOnEarlier(work)) {
    return NamedBy(work) == IdOf(*head_);
  }
  return !work.earlier->merged && IdOf(*work.earlier->ours) == IdOf(*head_);
}

// Something else than text operations changed the text since, or too many did.
bool EntityLine::DecideTextByStates(Work* work, const StatePtr& client, const Tools& tools,
                                    Questions& questions) {
  const auto refuse = [&](absl::Status error) {
    Refuse(work, std::move(error), tools, questions);
    return false;
  };
  TextWork& text = *work->text;
  const std::string& sent = work->pending.operation().text();
  if (!client->alive()) return refuse(NothingToEdit());
  absl::StatusOr<TextDocument> then = TextDocument::Open(client->data, text.asked.path);
  if (!then.ok()) return refuse(std::move(then).status());
  const ot::Delta before = then->Content();
  const int64_t units = then->units();
  if (const absl::Status fits = then->Apply(text.asked.ops); !fits.ok()) {
    return refuse(FaultAsSent(fits, text.asked.ops, units, sent));
  }
  if (head_->alive() && !then->in_array()) {
    const absl::StatusOr<TextDocument*> now = text_.Open(*head_, text.asked.path);
    absl::StatusOr<ot::Delta> difference =
        now.ok() ? ot::Diff(before, (*now)->Content()) : absl::StatusOr<ot::Delta>(now.status());
    if (difference.ok()) {
      questions.bytes_in_work += client->data.size();
      TextBridge bridge{.to = IdOf(*head_), .theirs = {}};
      bridge.theirs.push_back(*std::move(difference));
      text.route = TextRoute::kDifference;
      return MakeTextReady(work, std::move(bridge), tools, questions);
    }
  }
  if (questions.meetings.size() >= kMeetingsPerCallMax) return false;
  if (!MayMeet(work, tools, questions)) return false;
  std::optional<std::string> data = then->Write(tools.limits.data_bytes_max);
  if (!data) return refuse(TextTooLarge(tools.limits));
  Change change{.data = *std::move(data), .changed_paths = {text.asked.path}};
  text.route = TextRoute::kMeeting;
  MakeMeeting(work, client, std::move(change), tools, questions);
  return true;
}

bool EntityLine::MakeTextReady(Work* work, TextBridge bridge, const Tools& tools,
                               Questions& questions) {
  const auto refuse = [&](absl::Status error) {
    text_.Close();
    Refuse(work, std::move(error), tools, questions);
    return false;
  };
  TextWork& text = *work->text;
  const common::v1::Operation& operation = work->pending.operation();
  if (!head_->alive()) return refuse(NothingToEdit());
  absl::StatusOr<TextDocument*> document = text_.Open(*head_, text.asked.path);
  if (!document.ok()) return refuse(std::move(document).status());
  const bool moved = text.route != TextRoute::kHead;
  const int64_t units = (*document)->units() - GrowthOfAll(bridge.theirs);
  if (text.asked.ops.BaseLength() > units) {
    return refuse(PastTheEnd(text, units, operation.text()));
  }
  TextStep step{.text = TextChange{text.asked.path, bridge.Cross(text.asked.ops)}};
  if (const absl::Status applied = (*document)->Apply(step.text->ops); !applied.ok()) {
    return refuse(moved ? MakeErrorAt(ReasonOf(applied), "/text/ops", applied.message())
                        : FaultAsSent(applied, text.asked.ops, units, operation.text()));
  }
  std::optional<std::string> data = (*document)->Write(tools.limits.data_bytes_max);
  if (!data) return refuse(TextTooLarge(tools.limits));
  Change change{.data = *std::move(data),
                .changed_paths = {text.asked.path},
                .text = WriteTextChange(text.asked.path, step.text->ops)};
  text.committed = moved ? change.text : std::string();
  EntityState base;
  if (moved) base = NamedState(*NamedBy(*work), text_.trail(), operation.client_time_ms());
  const StatePtr before = head_;
  MakeReady(work, std::move(change), moved ? &base : nullptr, tools, questions);
  step.version = IdOf(*head_);
  step.client_time_ms = head_->client_time_ms;
  if (work->pending.client_batch != 0) {
    bridge.to = step.version;
    text.after = std::move(bridge);
  }
  text_.OnText(*before, std::move(step));
  text_.Opened(*head_);
  return true;
}

}  // namespace bdcsync::version
