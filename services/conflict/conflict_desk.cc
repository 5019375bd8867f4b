#include "services/conflict/conflict_desk.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/rpc/status.h"
#include "services/conflict/desk_request.h"
#include "services/conflict/stored_conflicts.h"

namespace bdcsync::conflict {
namespace {

void SetError(const absl::Status& status, common::v1::Error& error) { rpc::ToProto(status, error); }

absl::Status CheckIds(int ids) {
  if (ids <= kDeskItemsMax) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, "conflict_ids",
                     absl::StrCat("a call holds at most ", kDeskItemsMax, " conflicts"));
}

// How many of `places` fit one answer; at least one.
template <typename Place>
size_t CountThatFit(const std::vector<Place>& places) {
  size_t bytes = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    bytes += places[i].bytes;
    if (i > 0 && bytes > kDeskAnswerBytesMax) return i;
  }
  return places.size();
}

template <typename Place>
std::vector<std::string> IdsOf(const std::vector<Place>& places) {
  std::vector<std::string> ids;
  ids.reserve(places.size());
  for (const Place& place : places) ids.push_back(place.conflict_id);
  return ids;
}

absl::StatusOr<v1::GetConflictsResponse> GetAll(DeskStorage& storage,
                                                const v1::GetConflictsRequest& request) {
  ASSIGN_OR_RETURN(
      const ConflictsById found,
      ReadConflicts(storage, {request.conflict_ids().begin(), request.conflict_ids().end()}));
  v1::GetConflictsResponse response;
  size_t bytes = 0;
  for (const std::string& id : request.conflict_ids()) {
    v1::ConflictOrError& result = *response.add_conflicts();
    const auto at = found.find(id);
    if (at == found.end()) {
      SetError(NoSuchConflict(), *result.mutable_error());
      continue;
    }
    const size_t size = at->second.conflict.ByteSizeLong();
    if (bytes > 0 && bytes + size > kDeskAnswerBytesMax) {
      SetError(MakeError(Reason::kTooLarge, "too much for one answer: ask for fewer"),
               *result.mutable_error());
      continue;
    }
    bytes += size;
    *result.mutable_conflict() = at->second.conflict;
  }
  return response;
}

}  // namespace

ConflictDesk::ConflictDesk(DeskStorage& storage, const ConflictMerger& merger,
                           const RemoteAccess& remote, rpc::WorkerPool& workers, const Clock& clock,
                           DeskLimits limits, Observer observer)
    : storage_(storage),
      merger_(merger),
      remote_(remote),
      clock_(clock),
      limits_(limits),
      observer_(std::move(observer)),
      turns_(limits.due_stepped_over_max, observer_.on_too_many_due),
      calls_(workers) {}

int64_t ConflictDesk::NowMs() const { return absl::ToUnixMillis(clock_.Now()); }

void ConflictDesk::List(const v1::ListConflictsRequest& request,
                        Answer<v1::ListConflictsResponse> answer) {
  absl::StatusOr<ConflictQuery> query = QueryOf(request);
  if (!query.ok()) return answer(query.status());
  calls_.Run<v1::ListConflictsResponse>(
      [this, query = *std::move(query)] { return ListPage(query); }, std::move(answer));
}

absl::StatusOr<v1::ListConflictsResponse> ConflictDesk::ListPage(const ConflictQuery& query) {
  absl::StatusOr<std::vector<ConflictPlace>> places = storage_.List(query);
  if (!places.ok()) return ConflictsUnavailable(places.status());
  const size_t fitting = CountThatFit(*places);
  const bool more = fitting < places->size() || places->size() == static_cast<size_t>(query.limit);
  places->resize(fitting);
  v1::ListConflictsResponse response;
  if (places->empty()) return response;
  if (more) response.set_next_page_token(PageTokenAfter(places->back()));
  ASSIGN_OR_RETURN(ConflictsById found, ReadConflicts(storage_, IdsOf(*places)));
  for (const ConflictPlace& place : *places) {
    const auto at = found.find(place.conflict_id);
    if (at != found.end()) *response.add_conflicts() = std::move(at->second.conflict);
  }
  return response;
}

void ConflictDesk::Get(const v1::GetConflictsRequest& request,
                       Answer<v1::GetConflictsResponse> answer) {
  if (absl::Status ids = CheckIds(request.conflict_ids_size()); !ids.ok()) return answer(ids);
  calls_.Run<v1::GetConflictsResponse>([this, request] { return GetAll(storage_, request); },
                                       std::move(answer));
}

void ConflictDesk::RecordFacts(const v1::RecordFactsRequest& request,
                               Answer<v1::RecordFactsResponse> answer) {
  if (request.facts_size() > kFactsMax) {
    return answer(MakeErrorAt(Reason::kInvalidArgument, "facts",
                              absl::StrCat("a call holds at most ", kFactsMax, " facts")));
  }
  absl::StatusOr<FactBatch> facts = FactsOf(request, NowMs());
  if (!facts.ok()) return answer(facts.status());
  calls_.Run<v1::RecordFactsResponse>(
      [this, facts = *std::move(facts)]() -> absl::StatusOr<v1::RecordFactsResponse> {
        absl::Status recorded = storage_.Record(facts);
        for (int i = 1; i < kDeskAttemptsMax && absl::IsAborted(recorded); ++i) {
          recorded = storage_.Record(facts);
        }
        if (!recorded.ok()) return ConflictsUnavailable(recorded);
        for (const v1::Conflict& conflict : facts.held) {
          if (IsClosed(conflict.state())) observer_.on_closed(conflict.state());
        }
        return v1::RecordFactsResponse();
      },
      std::move(answer));
}

DueQuery DueAt(int64_t now_ms, const DeskLimits& limits, int limit) {
  return {.now_ms = now_ms,
          .opening_before_ms = now_ms - absl::ToInt64Milliseconds(limits.opening_grace),
          .verified_before_ms = now_ms - absl::ToInt64Milliseconds(limits.verify_interval),
          .limit = limit};
}

void ConflictDesk::ListDue(const v1::ListDueRequest& request, Answer<v1::ListDueResponse> answer) {
  const absl::StatusOr<int> limit = LimitOf(request.limit(), kDuePageDefault);
  if (!limit.ok()) return answer(limit.status());
  calls_.Run<v1::ListDueResponse>([this, limit = *limit] { return ListDuePage(limit); },
                                  std::move(answer));
}

absl::StatusOr<v1::ListDueResponse> ConflictDesk::ListDuePage(int limit) {
  absl::StatusOr<DuePlaces> places =
      storage_.ListDue(DueAt(NowMs(), limits_, turns_.PlacesToRead(limit)));
  if (!places.ok()) return ConflictsUnavailable(places.status());
  turns_.Cut(limit, places->due);
  places->due.resize(CountThatFit(places->due));
  turns_.Told(places->due);
  ASSIGN_OR_RETURN(ConflictsById found, ReadConflicts(storage_, IdsOf(places->due)));
  v1::ListDueResponse response;
  response.set_next_deadline_ms(places->next_deadline_ms);
  for (const DuePlace& place : places->due) {
    const auto at = found.find(place.conflict_id);
    if (at == found.end() || IsClosed(at->second.conflict.state())) continue;
    v1::DueConflict& due = *response.add_due();
    due.set_reason(place.reason);
    *due.mutable_conflict() = std::move(at->second.conflict);
  }
  return response;
}

void ConflictDesk::Assign(const v1::AssignRequest& request, Answer<v1::AssignResponse> answer) {
  if (request.user_id().size() > kUserIdBytesMax ||
      request.user_id().find('\0') != std::string::npos) {
    return answer(MakeErrorAt(Reason::kInvalidArgument, "user_id", "user_id is no user"));
  }
  calls_.Run<v1::AssignResponse>(
      [this, request]() -> absl::StatusOr<v1::AssignResponse> {
        if (!IsConflictId(request.conflict_id())) return NoSuchConflict();
        absl::StatusOr<bool> assigned = storage_.Assign(request.conflict_id(), request.user_id());
        if (!assigned.ok()) return ConflictsUnavailable(assigned.status());
        ASSIGN_OR_RETURN(ConflictsById found, ReadConflicts(storage_, {request.conflict_id()}));
        if (found.empty()) return NoSuchConflict();
        if (!*assigned) return ConflictIsClosed();
        v1::AssignResponse response;
        *response.mutable_conflict() = std::move(found.begin()->second.conflict);
        return response;
      },
      std::move(answer));
}

}  // namespace bdcsync::conflict
