#include "services/event-store/event_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"
#include "services/event-store/operation_key.h"
#include "services/event-store/validation.h"

namespace bdcsync::event_store {
namespace {

absl::StatusOr<int> LimitOf(int asked, int standard, int maximum) {
  if (asked < 0) return MakeErrorAt(Reason::kInvalidArgument, "limit", "at least 1, or 0");
  if (asked > maximum) {
    return MakeErrorAt(Reason::kInvalidArgument, "limit", absl::StrCat("at most ", maximum));
  }
  return asked == 0 ? standard : asked;
}

absl::StatusOr<int64_t> PageBytesOf(int64_t asked) {
  if (asked < 0) return MakeErrorAt(Reason::kInvalidArgument, "bytes_max", "not negative");
  return asked == 0 ? kPageBytesDefault : std::min(asked, kPageBytesMax);
}

absl::Status CheckNotNegative(absl::string_view field, int64_t value) {
  if (value < 0) return MakeErrorAt(Reason::kInvalidArgument, field, "not negative");
  return absl::OkStatus();
}

absl::Status CheckCount(absl::string_view field, int count, int maximum) {
  if (count > maximum) {
    return MakeErrorAt(Reason::kTooLarge, field, absl::StrCat("at most ", maximum));
  }
  return absl::OkStatus();
}

absl::Status OneServerIsAway() {
  return MakeError(Reason::kUnavailable, "a server of storage.log_dsns gives no answer");
}

}  // namespace

EventStore::EventStore(EventStorage& storage, Committer& committer)
    : storage_(storage), committer_(committer), log_count_(storage.log_count()) {}

absl::Status EventStore::Append(const v1::AppendRequest& request, v1::AppendResponse& response,
                                absl::AnyInvocable<void()> done) {
  return committer_.Append(request, response, std::move(done));
}

absl::StatusOr<v1::AppendResponse> EventStore::AppendAndWait(const v1::AppendRequest& request) {
  v1::AppendResponse response;
  absl::Notification done;
  RETURN_IF_ERROR(committer_.Append(request, response, [&done] { done.Notify(); }));
  done.WaitForNotification();
  return response;
}

absl::StatusOr<v1::ReadHeadsResponse> EventStore::ReadHeads(const v1::ReadHeadsRequest& request) {
  RETURN_IF_ERROR(CheckCount("streams", request.streams_size(), kReadHeadsMax));
  std::vector<StreamName> names;
  names.reserve(static_cast<std::size_t>(request.streams_size()));
  for (const v1::StreamKey& key : request.streams()) {
    RETURN_IF_ERROR(CheckStream(key));
    names.push_back(NameOf(key));
  }
  v1::ReadHeadsResponse response;
  if (names.empty()) return response;
  ASSIGN_OR_RETURN(std::vector<v1::Head> heads, storage_.ReadHeads(names, !request.without_data()));
  const bool whole =
      absl::c_none_of(heads, [](const v1::Head& head) { return head.unavailable(); });
  if (!whole && !request.partial()) return OneServerIsAway();
  response.mutable_heads()->Reserve(static_cast<int>(heads.size()));
  for (v1::Head& head : heads) *response.add_heads() = std::move(head);
  return response;
}

absl::StatusOr<v1::GetOperationsResponse> EventStore::GetOperations(
    const v1::GetOperationsRequest& request) {
  RETURN_IF_ERROR(CheckCount("operations", request.operations_size(), kGetOperationsMax));
  LookupRequest lookup;
  for (const v1::OperationKey& key : request.operations()) {
    RETURN_IF_ERROR(CheckSpace(key.space()));
    if (key.op_id().empty()) {
      return MakeErrorAt(Reason::kInvalidArgument, "op_id", "not empty");
    }
    lookup.operations.push_back({LogOf(key.space()), key.space(), OperationKeyOf(key.op_id())});
  }
  v1::GetOperationsResponse response;
  if (lookup.empty()) return response;
  ASSIGN_OR_RETURN(const LookupResult found, storage_.Lookup(lookup));
  std::vector<EventPlace> places;
  std::vector<uint32_t> log_ids;
  for (std::size_t i = 0; i < lookup.operations.size(); ++i) {
    places.push_back({lookup.operations[i].log_id, found.operations[i].position});
    if (found.operations[i].position != 0) log_ids.push_back(lookup.operations[i].log_id);
    response.add_operations();
  }
  if (log_ids.empty()) return response;
  ASSIGN_OR_RETURN(std::vector<v1::Head> events, storage_.ReadEvents(places));
  std::sort(log_ids.begin(), log_ids.end());
  log_ids.erase(std::unique(log_ids.begin(), log_ids.end()), log_ids.end());
  ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs(log_ids));
  absl::flat_hash_map<uint32_t, uint64_t> epochs;
  for (const LogState& log : logs) epochs[log.log_id] = log.epoch;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].has_event()) continue;
    v1::StoredOperation& operation = *response.mutable_operations(static_cast<int>(i));
    *operation.mutable_event() = std::move(*events[i].mutable_event());
    operation.set_request_hash(found.operations[i].request_hash);
    operation.set_epoch(epochs[places[i].log_id]);
  }
  return response;
}

absl::StatusOr<v1::ReadStreamResponse> EventStore::ReadStream(
    const v1::ReadStreamRequest& request) {
  RETURN_IF_ERROR(CheckStream(request.stream()));
  RETURN_IF_ERROR(CheckNotNegative("from_revision", request.from_revision()));
  RETURN_IF_ERROR(CheckNotNegative("until_time_ms", request.until_time_ms()));
  StreamRead read;
  read.stream = NameOf(request.stream());
  read.from_revision = request.from_revision();
  read.backward = request.backward();
  ASSIGN_OR_RETURN(read.limit,
                   LimitOf(request.limit(), kReadStreamLimitDefault, kReadStreamLimitMax));
  read.with_data = !request.without_data();
  read.until_time_ms = request.until_time_ms();
  read.bytes_max = kPageBytesMax;
  return storage_.ReadStream(read);
}

absl::StatusOr<v1::ReadSpaceResponse> EventStore::ReadSpace(const v1::ReadSpaceRequest& request) {
  RETURN_IF_ERROR(CheckSpace(request.space()));
  RETURN_IF_ERROR(CheckNotNegative("after_seq", request.after_seq()));
  SpaceRead read;
  read.space = {LogOf(request.space()), request.space()};
  read.after_seq = request.after_seq();
  read.latest = request.mode() == v1::SPACE_READ_MODE_LATEST;
  ASSIGN_OR_RETURN(read.limit,
                   LimitOf(request.limit(), kReadSpaceLimitDefault, kReadSpaceLimitMax));
  ASSIGN_OR_RETURN(read.bytes_max, PageBytesOf(request.bytes_max()));
  read.with_tombstones = !request.without_tombstones();
  read.with_data = !request.without_data();
  read.kind = request.kind();
  return storage_.ReadSpace(read);
}

absl::StatusOr<v1::ReadLogResponse> EventStore::ReadLog(const v1::ReadLogRequest& request) {
  if (request.log_id() >= log_count_) {
    return MakeErrorAt(Reason::kNotFound, "log_id", "there is no such log");
  }
  RETURN_IF_ERROR(CheckNotNegative("after_position", request.after_position()));
  LogRead read;
  read.log_id = request.log_id();
  read.after_position = request.after_position();
  ASSIGN_OR_RETURN(read.limit,
                   LimitOf(request.limit(), kReadSpaceLimitDefault, kReadSpaceLimitMax));
  read.with_data = !request.without_data();
  read.bytes_max = kPageBytesDefault;
  return storage_.ReadLog(read);
}

absl::StatusOr<v1::GetSpaceHeadsResponse> EventStore::GetSpaceHeads(
    const v1::GetSpaceHeadsRequest& request) {
  RETURN_IF_ERROR(CheckCount("spaces", request.spaces_size(), kSpaceHeadsMax));
  std::vector<SpaceName> names;
  names.reserve(static_cast<std::size_t>(request.spaces_size()));
  for (const std::string& space : request.spaces()) {
    RETURN_IF_ERROR(CheckSpace(space));
    names.push_back({LogOf(space), space});
  }
  v1::GetSpaceHeadsResponse response;
  if (names.empty()) return response;
  ASSIGN_OR_RETURN(const std::vector<SpaceHead> heads, storage_.SpaceHeads(names));
  const bool whole = absl::c_none_of(heads, [](const SpaceHead& head) { return head.epoch == 0; });
  if (!whole && !request.partial()) return OneServerIsAway();
  for (const SpaceHead& head : heads) {
    common::v1::SpacePosition& position = *response.add_heads();
    position.set_epoch(head.epoch);
    position.set_seq(head.seq);
  }
  return response;
}

absl::Status EventStore::PutSnapshot(const v1::PutSnapshotRequest& request) {
  RETURN_IF_ERROR(CheckStream(request.stream()));
  if (request.revision() < 1) {
    return MakeErrorAt(Reason::kInvalidArgument, "revision", "revisions start at 1");
  }
  if (static_cast<int64_t>(request.data().size()) > kSnapshotBytesMax) {
    return MakeErrorAt(Reason::kTooLarge, "data",
                       absl::StrCat("at most ", kSnapshotBytesMax, " bytes"));
  }
  return storage_.PutSnapshot(NameOf(request.stream()), request.revision(), request.data());
}

absl::StatusOr<v1::GetSnapshotResponse> EventStore::GetSnapshot(
    const v1::GetSnapshotRequest& request) {
  RETURN_IF_ERROR(CheckStream(request.stream()));
  RETURN_IF_ERROR(CheckNotNegative("revision_max", request.revision_max()));
  ASSIGN_OR_RETURN(Snapshot snapshot,
                   storage_.GetSnapshot(NameOf(request.stream()), request.revision_max()));
  v1::GetSnapshotResponse response;
  response.set_revision(snapshot.revision);
  response.set_data(std::move(snapshot.data));
  return response;
}

absl::StatusOr<v1::GetStoreInfoResponse> EventStore::GetStoreInfo() {
  ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs({}));
  v1::GetStoreInfoResponse response;
  response.set_log_count(log_count_);
  for (const LogState& log : logs) {
    v1::LogInfo& info = *response.add_logs();
    info.set_log_id(log.log_id);
    info.set_epoch(log.epoch);
    info.set_next_position(log.next_position);
  }
  return response;
}

}  // namespace bdcsync::event_store
