// Decisions and cancellations: found in the records, checked, closed at the version service.
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/cursor.h"
#include "services/gateway/desk/conflict_access.h"
#include "services/gateway/desk/desk.h"
#include "services/gateway/pipeline/actor.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {

struct Desk::Closing {
  CallerPtr caller;
  Check allows;
  std::vector<version::v1::CloseItem> items;
  std::vector<sync::v1::DecideResult> results;
  size_t begin = 0;              // Of those that are under way,
  size_t end = 0;                // to here.
  std::atomic<size_t> calls{0};  // Under way.
  absl::AnyInvocable<void(std::vector<sync::v1::DecideResult>)> done;
};

namespace {

void Fill(version::v1::CloseResult& from, sync::v1::DecideResult& to) {
  if (from.has_conflict()) *to.mutable_conflict() = std::move(*from.mutable_conflict());
  to.set_version_id(std::move(*from.mutable_version_id()));
  to.set_revision(from.revision());
  if (from.has_position()) {
    to.set_cursor(entity::EncodeCursor({from.position().epoch(), from.position().seq()}));
  }
  to.mutable_open()->Swap(from.mutable_open());
  if (from.has_error()) *to.mutable_error() = std::move(*from.mutable_error());
}

}  // namespace

void Desk::Close(CallerPtr caller, std::vector<version::v1::CloseItem> items, Check allows,
                 absl::AnyInvocable<void(std::vector<sync::v1::DecideResult>)> done) {
  auto closing = std::make_shared<Closing>();
  closing->caller = std::move(caller);
  closing->allows = allows;
  closing->items = std::move(items);
  closing->results.resize(closing->items.size());
  closing->done = std::move(done);
  for (version::v1::CloseItem& item : closing->items) {
    *item.mutable_actor() = ActorOf(*closing->caller);
  }
  CloseNext(closing);
}

void Desk::CloseNext(const std::shared_ptr<Closing>& closing) {
  closing->begin = closing->end;
  if (closing->begin == closing->items.size()) return closing->done(std::move(closing->results));
  closing->end = std::min(closing->items.size(), closing->begin + kConflictsPerCallMax);
  conflict::v1::GetConflictsRequest request;
  for (size_t i = closing->begin; i < closing->end; ++i) {
    request.add_conflict_ids(closing->items[i].conflict_id());
  }
  records_.GetConflicts(
      std::move(request),
      [this, closing](const absl::StatusOr<conflict::v1::GetConflictsResponse>& found) {
        OnFound(closing, found);
      });
}

void Desk::OnFound(const std::shared_ptr<Closing>& closing,
                   const absl::StatusOr<conflict::v1::GetConflictsResponse>& found) {
  const size_t count = closing->end - closing->begin;
  absl::Status status = found.status();
  if (status.ok() && static_cast<size_t>(found->conflicts_size()) != count) {
    status = MakeError(Reason::kInternal, "the conflict service left conflicts out");
  }
  std::map<size_t, std::vector<size_t>> places;  // By replica.
  for (size_t i = 0; i < count; ++i) {
    sync::v1::DecideResult& result = closing->results[closing->begin + i];
    if (!status.ok()) {
      *result.mutable_error() = ErrorOf(status);
      continue;
    }
    const conflict::v1::ConflictOrError& one = found->conflicts(static_cast<int>(i));
    if (one.has_error()) {
      *result.mutable_error() = one.error();
      continue;
    }
    const absl::Status allowed = closing->allows(*closing->caller, one.conflict());
    if (allowed.ok()) {
      places[ReplicaOf(one.conflict().entity().space())].push_back(closing->begin + i);
    } else {
      *result.mutable_error() = ErrorOf(allowed);
    }
  }
  if (places.empty()) return CloseNext(closing);
  closing->calls = places.size();
  for (const auto& [replica, of_replica] : places) CloseAt(closing, replica, of_replica);
}

void Desk::CloseAt(const std::shared_ptr<Closing>& closing, size_t replica,
                   const std::vector<size_t>& places) {
  version::v1::CloseConflictsRequest request;
  for (const size_t place : places) *request.add_items() = closing->items[place];
  using Response = version::v1::CloseConflictsResponse;
  versions_.CloseConflicts(
      replica, std::move(request), [this, closing, places](absl::StatusOr<Response> closed) {
        if (closed.ok() && static_cast<size_t>(closed->results_size()) != places.size()) {
          closed = MakeError(Reason::kInternal, "the version service left results out");
        }
        for (size_t i = 0; i < places.size(); ++i) {
          sync::v1::DecideResult& result = closing->results[places[i]];
          if (closed.ok()) {
            Fill(*closed->mutable_results(static_cast<int>(i)), result);
          } else {
            *result.mutable_error() = ErrorOf(closed.status());
          }
        }
        if (closing->calls.fetch_sub(1) == 1) CloseNext(closing);
      });
}

void Desk::DecideConflicts(CallerPtr caller, sync::v1::DecideConflictsRequest request,
                           Done<sync::v1::DecideConflictsResponse> done) {
  if (request.decisions_size() > kDecisionsMax) {
    return done(MakeErrorAt(Reason::kTooLarge, "decisions",
                            absl::StrCat("at most ", kDecisionsMax, " in one call")));
  }
  if (absl::Status taken = TakeRate(*caller, static_cast<size_t>(request.decisions_size()));
      !taken.ok()) {
    return done(std::move(taken));
  }
  std::vector<version::v1::CloseItem> items;
  for (sync::v1::ConflictDecision& decision : *request.mutable_decisions()) {
    version::v1::CloseItem& item = items.emplace_back();
    item.set_conflict_id(std::move(*decision.mutable_conflict_id()));
    item.set_cause(version::v1::CLOSE_CAUSE_DECIDED);
    item.mutable_choices()->Swap(decision.mutable_choices());
  }
  Close(std::move(caller), std::move(items), MayDecide,
        [done = std::move(done)](std::vector<sync::v1::DecideResult> results) mutable {
          sync::v1::DecideConflictsResponse answer;
          for (sync::v1::DecideResult& result : results) *answer.add_results() = std::move(result);
          done(std::move(answer));
        });
}

void Desk::CancelConflict(CallerPtr caller, sync::v1::CancelConflictRequest request,
                          Done<sync::v1::CancelConflictResponse> done) {
  if (absl::Status taken = TakeRate(*caller, 1); !taken.ok()) return done(std::move(taken));
  std::vector<version::v1::CloseItem> items(1);
  items.front().set_conflict_id(std::move(*request.mutable_conflict_id()));
  items.front().set_cause(version::v1::CLOSE_CAUSE_CANCELLED);
  Close(std::move(caller), std::move(items), MayCancel,
        [done = std::move(done)](std::vector<sync::v1::DecideResult> results) mutable {
          if (results.front().has_error()) return done(StatusOf(results.front().error()));
          sync::v1::CancelConflictResponse answer;
          *answer.mutable_conflict() = std::move(*results.front().mutable_conflict());
          done(std::move(answer));
        });
}

}  // namespace bdcsync::gateway
