#include "services/conflict/recorder.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"

namespace bdcsync::conflict {
namespace {

// One lane: transactions of one replica do not wait for each other's rows.
constexpr uint64_t kLane = 0;
constexpr int kWriteAttemptsMax = 3;

absl::Status Unavailable(absl::string_view what) { return MakeError(Reason::kUnavailable, what); }

std::string TokenOf(const RecordPlace& place) {
  return absl::StrCat(place.time_ms, ".", place.number);
}

std::optional<RecordPlace> ParsePlace(absl::string_view token) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(token, '.');
  RecordPlace place;
  const bool good = absl::SimpleAtoi(parts.first, &place.time_ms) &&
                    absl::SimpleAtoi(parts.second, &place.number);
  if (!good || TokenOf(place) != token) return std::nullopt;
  return place;
}

absl::StatusOr<ResolutionQuery> QueryOf(const v1::ListResolutionsRequest& request) {
  RETURN_IF_ERROR(entity::ValidateSpace(request.space()));
  if (!request.entity_type().empty()) RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  if (!request.entity_id().empty()) RETURN_IF_ERROR(entity::ValidateId(request.entity_id()));
  if (!request.entity_id().empty() && request.entity_type().empty()) {
    return MakeErrorAt(Reason::kInvalidArgument, "entity_type", "entity_id needs an entity_type");
  }
  ResolutionQuery query{.space = request.space(),
                        .entity_type = request.entity_type(),
                        .entity_id = request.entity_id(),
                        .bytes_max = kListBytesMax};
  query.limit = request.limit() == 0 ? kListPageDefault : request.limit();
  if (query.limit < 1 || query.limit > kListPageMax) {
    return MakeErrorAt(Reason::kInvalidArgument, "limit",
                       absl::StrCat("limit must be 1 to ", kListPageMax));
  }
  if (request.page_token().empty()) return query;
  query.before = ParsePlace(request.page_token());
  if (!query.before) {
    return MakeErrorAt(Reason::kInvalidArgument, "page_token", "page_token is not one of ours");
  }
  return query;
}

absl::StatusOr<v1::ListResolutionsResponse> ListPage(ResolutionStorage& storage,
                                                     const ResolutionQuery& query) {
  absl::StatusOr<std::vector<StoredResolution>> stored = storage.List(query);
  if (!stored.ok()) return Unavailable("the records cannot be read");
  v1::ListResolutionsResponse response;
  size_t bytes = 0;
  size_t fitting = 0;
  for (; fitting < stored->size(); ++fitting) {
    bytes += (*stored)[fitting].resolution.ByteSizeLong();
    if (fitting > 0 && bytes > kListBytesMax) break;
  }
  const bool more = fitting < stored->size() || stored->size() == static_cast<size_t>(query.limit);
  stored->resize(fitting);
  if (more) response.set_next_page_token(TokenOf(stored->back().place()));
  for (StoredResolution& record : *stored) {
    *response.add_resolutions() = std::move(record.resolution);
  }
  return response;
}

// Adds what a later call leaves behind: of an operation that was decided again, the last counts.
void Append(Records more, Records& records) {
  for (v1::Resolution& resolution : more.resolutions) {
    std::erase_if(records.openings, [&](const v1::Conflict& opening) {
      return opening.op_id() == resolution.op_id() &&
             opening.entity().space() == resolution.entity().space();
    });
    records.resolutions.push_back(std::move(resolution));
  }
  for (v1::Conflict& opening : more.openings) records.openings.push_back(std::move(opening));
}

}  // namespace

Recorder::Recorder(ResolutionStorage& storage, rpc::WorkerPool& workers, const Clock& clock,
                   RecorderLimits limits, Observer observer)
    : storage_(storage),
      workers_(workers),
      clock_(clock),
      observer_(std::move(observer)),
      batcher_(
          {.in_flight_max = 1,
           .batch_items_max = limits.batch_items_max,
           .batch_bytes_max = limits.batch_bytes_max,
           .queued_items_max = limits.queue_items_max},
          [](const Pending& pending) { return pending.bytes; },
          [this](std::vector<Pending> batch, absl::AnyInvocable<void()> done) {
            Send(std::move(batch), std::move(done));
          }) {}

void Recorder::Record(Records records, Recorded recorded) {
  if (records.resolutions.empty() && records.openings.empty()) {
    recorded(absl::OkStatus());
    return;
  }
  Pending pending{.records = std::move(records), .recorded = std::move(recorded)};
  const int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  for (v1::Resolution& resolution : pending.records.resolutions) {
    resolution.set_time_ms(now_ms);
    pending.bytes += resolution.ByteSizeLong();
  }
  for (const v1::Conflict& opening : pending.records.openings) {
    pending.bytes += opening.ByteSizeLong();
  }
  if (!batcher_.Submit(kLane, std::move(pending))) {
    // NOLINTNEXTLINE(bugprone-use-after-move): untouched when it is refused.
    pending.recorded(Unavailable("too many resolutions wait to be recorded"));
  }
}

void Recorder::Send(std::vector<Pending> batch, absl::AnyInvocable<void()> done) {
  OnStarted();
  // Shared because the task is lost when the pool is full, and its calls need an answer.
  auto work = std::make_shared<std::pair<std::vector<Pending>, absl::AnyInvocable<void()>>>(
      std::move(batch), std::move(done));
  const bool queued = workers_.Submit([this, work] {
    Write(work->first);
    work->second();
    OnFinished();
  });
  if (queued) return;
  for (Pending& pending : work->first) {
    pending.recorded(Unavailable("no worker is free to record resolutions"));
  }
  work->second();
  OnFinished();
}

void Recorder::Write(std::vector<Pending>& batch) {
  Records records;
  for (Pending& pending : batch) Append(std::move(pending.records), records);
  const absl::Duration start = clock_.Monotonic();
  absl::Status written = storage_.Put(records);
  for (int i = 1; i < kWriteAttemptsMax && absl::IsAborted(written); ++i) {
    written = storage_.Put(records);
  }
  observer_(records.resolutions.size() + records.openings.size(), clock_.Monotonic() - start);
  for (Pending& pending : batch) {
    pending.recorded(written.ok() ? written : Unavailable("resolutions cannot be recorded now"));
  }
}

void Recorder::List(const v1::ListResolutionsRequest& request, Listed listed) {
  absl::StatusOr<ResolutionQuery> query = QueryOf(request);
  if (!query.ok()) {
    listed(query.status());
    return;
  }
  OnStarted();
  auto answer = std::make_shared<Listed>(std::move(listed));  // Outlives a full pool's task.
  const bool queued = workers_.Submit([this, query = *std::move(query), answer] {
    (*answer)(ListPage(storage_, query));
    OnFinished();
  });
  if (queued) return;
  (*answer)(Unavailable("no worker is free"));
  OnFinished();
}

void Recorder::OnStarted() {
  absl::MutexLock lock(&mutex_);
  ++under_way_;
}

void Recorder::OnFinished() {
  absl::MutexLock lock(&mutex_);
  --under_way_;
}

void Recorder::Drain(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(
                               +[](size_t* under_way) { return *under_way == 0; }, &under_way_),
                           deadline);
}

}  // namespace bdcsync::conflict
