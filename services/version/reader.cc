#include "services/version/reader.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/entity/version_id.h"
#include "libs/json/diff.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/rpc/status.h"
#include "services/version/conflict_facts.h"
#include "services/version/entity_state.h"

namespace bdcsync::version {
namespace {

using event_store::v1::Event;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using event_store::v1::ReadStreamRequest;
using event_store::v1::ReadStreamResponse;

absl::Status NoSuchEntity() { return MakeError(Reason::kNotFound, "there is no such entity"); }
absl::Status NoSuchVersion() { return MakeError(Reason::kNotFound, "there is no such version"); }

void SetStream(const common::v1::EntityKey& key, event_store::v1::StreamKey& stream) {
  stream.set_space(key.space());
  stream.set_name(entity::StreamName(entity::ViewOf(key)));
}

// The request for the one event that `version_id` names.
absl::StatusOr<ReadStreamRequest> ReadVersion(const common::v1::EntityKey& key,
                                              absl::string_view version_id) {
  const auto id = entity::ParseVersionId(version_id);
  if (!id) return NoSuchVersion();
  ReadStreamRequest request;
  SetStream(key, *request.mutable_stream());
  request.set_from_revision(id->revision);
  request.set_limit(1);
  return request;
}

// The event in `page`, if it is the version `version_id`.
absl::StatusOr<Event> VersionIn(absl::StatusOr<ReadStreamResponse> page,
                                absl::string_view version_id) {
  RETURN_IF_ERROR(page.status());
  if (page->events_size() != 1) return NoSuchVersion();
  Event& event = *page->mutable_events(0);
  if (entity::MakeVersionId(event.revision(), event.event_id()) != version_id) {
    return NoSuchVersion();
  }
  return std::move(event);
}

void FillState(const absl::StatusOr<Event>& event, v1::EntityState& state) {
  if (!event.ok()) {
    rpc::ToProto(event.status(), *state.mutable_error());
    return;
  }
  FillState(*StateAfter(*event), state);
}

// A call of GetEntities while its reads are under way; the last one to answer sends the response.
struct EntitiesCall {
  v1::GetEntitiesRequest request;
  v1::GetEntitiesResponse response;
  Reader::Callback<v1::GetEntitiesResponse> callback;
  std::vector<int> head_queries;   // Those that ReadHeads was asked for, in order.
  std::vector<int> fact_queries;   // Those whose streams of facts it was asked for, behind them.
  std::vector<bool> has_conflict;  // By query; known when all reads have arrived.
  absl::Status facts_status;       // Why it is not.
  std::atomic<int> waiting{1};     // Reads, and the call itself while it asks.

  void Arrive() {
    if (waiting.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    for (int i = 0; i < response.entities_size(); ++i) {
      v1::EntityState& state = *response.mutable_entities(i);
      if (state.has_error()) continue;
      if (facts_status.ok()) {
        state.set_has_conflict(has_conflict[static_cast<size_t>(i)]);
      } else {
        const common::v1::EntityKey entity = state.entity();
        state.Clear();
        *state.mutable_entity() = entity;
        FillState(facts_status, state);
      }
    }
    callback(std::move(response));
  }
};

// Behind the heads stand those of the streams of facts, one for each query.
void FillConflicts(EntitiesCall& call, const ReadHeadsResponse& heads) {
  int place = static_cast<int>(call.head_queries.size());
  for (const int query : call.fact_queries) {
    if (place >= heads.heads_size()) return;
    const event_store::v1::Head& facts = heads.heads(place++);
    call.has_conflict[static_cast<size_t>(query)] = facts.has_event() && !facts.event().tombstone();
  }
}

void OnHeads(EntitiesCall& call, absl::StatusOr<ReadHeadsResponse> heads) {
  if (heads.ok()) {
    FillConflicts(call, *heads);
  } else {
    call.facts_status = heads.status();
  }
  for (size_t i = 0; i < call.head_queries.size(); ++i) {
    v1::EntityState& state = *call.response.mutable_entities(call.head_queries[i]);
    const int place = static_cast<int>(i);
    if (!heads.ok()) {
      FillState(heads.status(), state);
    } else if (place >= heads->heads_size() || !heads->heads(place).has_event()) {
      FillState(NoSuchEntity(), state);
    } else {
      FillState(std::move(*heads->mutable_heads(place)->mutable_event()), state);
    }
  }
  call.Arrive();
}

// The read of a query that is not of the head.
absl::StatusOr<ReadStreamRequest> ReadOf(const v1::EntityQuery& query) {
  if (!query.version_id().empty()) return ReadVersion(query.entity(), query.version_id());
  if (query.as_of_ms() < 0) return NoSuchEntity();  // Nothing is as old as that.
  ReadStreamRequest read;
  SetStream(query.entity(), *read.mutable_stream());
  read.set_backward(true);
  read.set_limit(1);
  read.set_until_time_ms(query.as_of_ms());
  return read;
}

void OnPast(EntitiesCall& call, int index, absl::StatusOr<ReadStreamResponse> page) {
  const v1::EntityQuery& query = call.request.queries(index);
  absl::StatusOr<Event> event = NoSuchEntity();
  if (!query.version_id().empty()) {
    event = VersionIn(std::move(page), query.version_id());
  } else if (!page.ok()) {
    event = page.status();
  } else if (page->events_size() == 1) {
    event = std::move(*page->mutable_events(0));
  }
  FillState(event, *call.response.mutable_entities(index));
  call.Arrive();
}

absl::StatusOr<v1::GetHistoryResponse> HistoryPage(absl::StatusOr<ReadStreamResponse> page) {
  RETURN_IF_ERROR(page.status());
  if (page->head_revision() == 0) return NoSuchEntity();
  v1::GetHistoryResponse response;
  for (const Event& event : page->events()) {
    v1::VersionInfo& version = *response.add_versions();
    version.set_version_id(entity::MakeVersionId(event.revision(), event.event_id()));
    version.set_revision(event.revision());
    version.set_time_ms(event.time_ms());
    version.mutable_meta()->ParseFromString(event.meta());
    version.mutable_meta()->clear_patch();
    version.mutable_meta()->clear_text();
  }
  // A page of large versions holds fewer than were asked for: only the first revision is the end.
  if (!page->events().empty()) {
    const int64_t oldest = page->events().rbegin()->revision();
    if (oldest > 1) response.set_next_page_token(absl::StrCat(oldest - 1));
  }
  return response;
}

absl::StatusOr<json::Value> DocumentOf(const Event& event) {
  if (event.tombstone()) return json::Value();
  absl::StatusOr<json::Value> document =
      json::Parse(event.data(), {.depth_max = json::kDepthCeiling});
  if (!document.ok()) return MakeError(Reason::kInternal, "the stored data is not JSON");
  return document;
}

// The two sides of a Diff while they are read.
struct DiffCall {
  v1::DiffRequest request;
  Reader::Callback<v1::DiffResponse> callback;
  absl::StatusOr<Event> from;
  absl::StatusOr<Event> to;
  std::atomic<int> waiting{2};

  absl::StatusOr<v1::DiffResponse> Compare() const {
    RETURN_IF_ERROR(from.status());
    RETURN_IF_ERROR(to.status());
    ASSIGN_OR_RETURN(const json::Value before, DocumentOf(*from));
    ASSIGN_OR_RETURN(const json::Value after, DocumentOf(*to));
    v1::DiffResponse response;
    response.set_changes(json::Serialize(json::Diff(before, after)));
    return response;
  }
  void Arrive() {
    if (waiting.fetch_sub(1, std::memory_order_acq_rel) == 1) callback(Compare());
  }
};

}  // namespace

void Reader::GetEntities(v1::GetEntitiesRequest request,
                         Callback<v1::GetEntitiesResponse> callback) {
  if (request.queries_size() > kEntityQueriesMax) {
    callback(MakeError(Reason::kInvalidArgument,
                       absl::StrCat("a call reads at most ", kEntityQueriesMax, " entities")));
    return;
  }
  auto call = std::make_shared<EntitiesCall>();
  call->request = std::move(request);
  call->callback = std::move(callback);
  call->has_conflict.resize(static_cast<size_t>(call->request.queries_size()));
  ReadHeadsRequest heads;
  std::vector<std::pair<int, ReadStreamRequest>> past;
  for (int i = 0; i < call->request.queries_size(); ++i) {
    const v1::EntityQuery& query = call->request.queries(i);
    v1::EntityState& state = *call->response.add_entities();
    *state.mutable_entity() = query.entity();
    if (absl::Status valid = entity::ValidateKey(entity::ViewOf(query.entity())); !valid.ok()) {
      FillState(valid, state);
    } else if (query.version_id().empty() && query.as_of_ms() == 0) {
      SetStream(query.entity(), *heads.add_streams());
      call->head_queries.push_back(i);
      call->fact_queries.push_back(i);
    } else if (absl::StatusOr<ReadStreamRequest> read = ReadOf(query); read.ok()) {
      past.emplace_back(i, *std::move(read));
      call->fact_queries.push_back(i);
    } else {
      FillState(read.status(), state);
    }
  }
  for (const int query : call->fact_queries) {
    SetFactsStream(call->request.queries(query).entity(), *heads.add_streams());
  }
  const int reads = static_cast<int>(past.size()) + (heads.streams().empty() ? 0 : 1);
  call->waiting.fetch_add(reads, std::memory_order_relaxed);
  if (!heads.streams().empty()) {
    log_.ReadHeads(std::move(heads), [call](absl::StatusOr<ReadHeadsResponse> answer) {
      OnHeads(*call, std::move(answer));
    });
  }
  for (auto& [index, read] : past) {
    log_.ReadStream(std::move(read),
                    [call, index = index](absl::StatusOr<ReadStreamResponse> answer) {
                      OnPast(*call, index, std::move(answer));
                    });
  }
  call->Arrive();
}

void Reader::GetHistory(const v1::GetHistoryRequest& request,
                        Callback<v1::GetHistoryResponse> callback) {
  absl::Status valid = entity::ValidateKey(entity::ViewOf(request.entity()));
  const int limit = request.limit() == 0 ? kHistoryPageDefault : request.limit();
  if (valid.ok() && (limit < 1 || limit > kHistoryPageMax)) {
    valid = MakeErrorAt(Reason::kInvalidArgument, "limit",
                        absl::StrCat("limit must be 1 to ", kHistoryPageMax));
  }
  const auto from = entity::ParseRevision(request.page_token());
  if (valid.ok() && !request.page_token().empty() && !from) {
    valid = MakeErrorAt(Reason::kInvalidArgument, "page_token", "page_token is not one of ours");
  }
  if (!valid.ok()) {
    callback(valid);
    return;
  }
  ReadStreamRequest read;
  SetStream(request.entity(), *read.mutable_stream());
  read.set_backward(true);
  read.set_without_data(true);
  read.set_limit(limit);
  if (from) read.set_from_revision(*from);
  log_.ReadStream(std::move(read), [callback = std::move(callback)](
                                       absl::StatusOr<ReadStreamResponse> page) mutable {
    callback(HistoryPage(std::move(page)));
  });
}

void Reader::Diff(const v1::DiffRequest& request, Callback<v1::DiffResponse> callback) {
  absl::Status valid = entity::ValidateKey(entity::ViewOf(request.entity()));
  absl::StatusOr<ReadStreamRequest> from = ReadVersion(request.entity(), request.from_version_id());
  absl::StatusOr<ReadStreamRequest> to = NoSuchVersion();
  if (request.to_version_id().empty()) {
    to.emplace();
    SetStream(request.entity(), *to->mutable_stream());
    to->set_backward(true);
    to->set_limit(1);
  } else {
    to = ReadVersion(request.entity(), request.to_version_id());
  }
  if (valid.ok()) valid = from.status();
  if (valid.ok()) valid = to.status();
  if (!valid.ok()) {
    callback(valid);
    return;
  }
  auto call = std::make_shared<DiffCall>();
  call->request = request;
  call->callback = std::move(callback);
  log_.ReadStream(*std::move(from), [call](absl::StatusOr<ReadStreamResponse> page) {
    call->from = VersionIn(std::move(page), call->request.from_version_id());
    call->Arrive();
  });
  log_.ReadStream(*std::move(to), [call](absl::StatusOr<ReadStreamResponse> page) {
    const std::string& named = call->request.to_version_id();
    if (!named.empty()) {
      call->to = VersionIn(std::move(page), named);
    } else if (!page.ok()) {
      call->to = page.status();
    } else if (page->events_size() == 1) {
      call->to = std::move(*page->mutable_events(0));
    } else {
      call->to = NoSuchEntity();
    }
    call->Arrive();
  });
}

}  // namespace bdcsync::version
