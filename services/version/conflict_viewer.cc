#include "services/version/conflict_viewer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "services/version/conflict_lookup.h"
#include "services/version/conflict_reader.h"
#include "services/version/side.h"

namespace bdcsync::version {
namespace {

using conflict::v1::Conflict;

void FillStates(const Conflict& conflict, const ConflictStates& states, v1::ConflictView& view) {
  const struct {
    const StatePtr& from;
    v1::EntityState& to;
    bool on_branch;
  } kSides[] = {{states.base, *view.mutable_base(), false},
                {states.theirs, *view.mutable_theirs(), false},
                {states.ours, *view.mutable_ours(), true}};
  for (const auto& side : kSides) {
    *side.to.mutable_entity() = conflict.entity();
    if (side.on_branch) side.to.mutable_entity()->set_branch(conflict.branch());
    if (side.from->exists()) {
      FillState(*side.from, side.to);
    } else {
      rpc::ToProto(MakeError(Reason::kNotFound, "there is no such version"),
                   *side.to.mutable_error());
    }
  }
}

// One conflict that is looked at. `view` is borrowed until `done` runs.
struct ViewRun : std::enable_shared_from_this<ViewRun> {
  ViewRun(ConflictDesk& with, const v1::ViewItem& asked, Conflict record, v1::ConflictView& into,
          absl::AnyInvocable<void()> then)
      : desk(with), item(asked), conflict(std::move(record)), view(into), done(std::move(then)) {}

  void OnStates(absl::StatusOr<ConflictStates> states) {
    if (!states.ok()) {
      Fail(states.status());
      return;
    }
    // The log knows better what is open; how a closed one was closed, the record tells.
    const Conflict* open = states->facts.Find(conflict.conflict_id());
    if (open != nullptr && conflict.state() == conflict::v1::CONFLICT_STATE_OPENING) {
      conflict.set_state(conflict::v1::CONFLICT_STATE_OPEN);
      conflict.set_ours_version_id(open->ours_version_id());
      conflict.set_base_version_id(open->base_version_id());
    }
    *view.mutable_conflict() = conflict;
    FillStates(conflict, *states, view);
    if (open == nullptr) {
      done();
      return;
    }
    conflict::v1::DecideRequest request;
    conflict::v1::DecideItem& asked = *request.add_items();
    asked.set_conflict_id(conflict.conflict_id());
    SetSide(*states->base, *asked.mutable_base());
    SetSide(*states->theirs, *asked.mutable_theirs());
    SetSide(*states->ours, *asked.mutable_ours());
    *asked.mutable_choices() = item.choices();
    desk.Decide(std::move(request),
                [self = shared_from_this()](absl::StatusOr<conflict::v1::DecideResponse> decided) {
                  self->OnDecided(std::move(decided));
                });
  }

  void OnDecided(absl::StatusOr<conflict::v1::DecideResponse> decided) {
    if (!decided.ok() || decided->results_size() != 1) {
      Fail(MakeError(Reason::kUnavailable, "conflicts cannot be merged now"));
      return;
    }
    conflict::v1::DecideResult& result = *decided->mutable_results(0);
    const bool failed = result.has_error();
    if (failed && ReasonOf(rpc::FromProto(result.error())) == Reason::kPreconditionFailed) {
      *view.mutable_conflict() = std::move(*result.mutable_conflict());  // It was closed since.
    } else if (failed) {
      *view.mutable_error() = std::move(*result.mutable_error());
    } else {
      *view.mutable_proposed() = std::move(*result.mutable_proposed());
      *view.mutable_preview() = std::move(*result.mutable_merged());
      *view.mutable_open() = std::move(*result.mutable_open());
      *view.mutable_notes() = std::move(*result.mutable_notes());
    }
    done();
  }

  void Fail(const absl::Status& error) {
    rpc::ToProto(error, *view.mutable_error());
    done();
  }

  ConflictDesk& desk;
  const v1::ViewItem& item;
  Conflict conflict;
  v1::ConflictView& view;
  absl::AnyInvocable<void()> done;
};

// A call of View; the last of its items to end sends the response.
struct ViewCall : std::enable_shared_from_this<ViewCall> {
  ViewCall(EventLog& log, ConflictDesk& with, v1::ViewConflictsRequest asked,
           ConflictViewer::Callback then)
      : reader(log), desk(with), request(std::move(asked)), callback(std::move(then)) {}

  void OnRecords(std::vector<ConflictRecord> found) {
    records = std::move(found);
    for (int i = 0; i < request.items_size(); ++i) response.add_views();
    ForEachOfSome(
        records.size(), kConflictsAtOnceMax,
        [self = shared_from_this()](size_t place, absl::AnyInvocable<void()> done) {
          self->Look(place, std::move(done));
        },
        [self = shared_from_this()] { self->Answer(); });
  }

  void Look(size_t place, absl::AnyInvocable<void()> done) {
    ConflictRecord& record = records[place];
    v1::ConflictView& view = *response.mutable_views(static_cast<int>(place));
    if (!record.ok()) {
      *view.mutable_error() = record.error;
      done();
      return;
    }
    auto run = std::make_shared<ViewRun>(desk, request.items(static_cast<int>(place)),
                                         record.conflict, view, std::move(done));
    reader.Read(record.conflict,
                [run](absl::StatusOr<ConflictStates> states) { run->OnStates(std::move(states)); });
  }

  void Answer() {
    size_t bytes = 0;
    for (v1::ConflictView& view : *response.mutable_views()) {
      const size_t more = view.ByteSizeLong();
      bytes += more;
      if (bytes <= kViewBytesMax || bytes == more) continue;
      bytes -= more;
      view.Clear();
      rpc::ToProto(MakeError(Reason::kTooLarge, "all together is too much: ask for fewer"),
                   *view.mutable_error());
    }
    callback(std::move(response));
  }

  ConflictReader reader;
  ConflictDesk& desk;
  const v1::ViewConflictsRequest request;
  v1::ViewConflictsResponse response;
  ConflictViewer::Callback callback;
  std::vector<ConflictRecord> records;
};

}  // namespace

void ConflictViewer::View(v1::ViewConflictsRequest request, Callback callback) {
  std::vector<std::string> ids;
  for (const v1::ViewItem& item : request.items()) ids.push_back(item.conflict_id());
  auto call = std::make_shared<ViewCall>(log_, desk_, std::move(request), std::move(callback));
  LookUpConflicts(desk_, std::move(ids),
                  [call](absl::StatusOr<std::vector<ConflictRecord>> records) {
                    if (records.ok()) {
                      call->OnRecords(*std::move(records));
                    } else {
                      call->callback(records.status());
                    }
                  });
}

}  // namespace bdcsync::version
