#include "services/event-store/storage/routed_event_storage.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/commit_parts.h"

namespace bdcsync::event_store {
namespace {

// The elements of a call that belong to one shard, and where they stood in the call.
template <typename T>
struct Part {
  std::vector<T> elements;
  std::vector<std::size_t> places;
};

int64_t BytesOf(const v1::Head& head) {
  return static_cast<int64_t>(head.event().data().size() + head.event().meta().size());
}

class RoutedEventStorage final : public EventStorage {
 public:
  RoutedEventStorage(uint32_t log_count, std::vector<StorageShard> shards)
      : log_count_(log_count), shards_(std::move(shards)), shard_of_log_(log_count) {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const LogRange& logs = shards_[shard].logs;
      for (uint32_t id = logs.first; id < logs.end; ++id) shard_of_log_[id] = shard;
    }
  }

  absl::Status CheckWritable() override {
    for (const StorageShard& shard : shards_) RETURN_IF_ERROR(shard.storage->CheckWritable());
    return absl::OkStatus();
  }
  uint32_t log_count() const override { return log_count_; }
  uint32_t group_count() const override { return static_cast<uint32_t>(shards_.size()); }
  uint32_t group_of(uint32_t log_id) const override {
    return static_cast<uint32_t>(shard_of_log_[log_id]);
  }

  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) override {
    std::vector<LogState> logs;
    std::vector<std::vector<uint32_t>> parts(shards_.size());
    for (const uint32_t id : log_ids) {
      if (id >= log_count_) return MakeErrorAt(Reason::kNotFound, "log_id", "no such log");
      parts[shard_of_log_[id]].push_back(id);
    }
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      if (!log_ids.empty() && parts[shard].empty()) continue;
      ASSIGN_OR_RETURN(const std::vector<LogState> part,
                       shards_[shard].storage->LoadLogs(parts[shard]));
      logs.insert(logs.end(), part.begin(), part.end());
    }
    std::sort(logs.begin(), logs.end(),
              [](const LogState& a, const LogState& b) { return a.log_id < b.log_id; });
    return logs;
  }

  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) override {
    return Of(expected.log_id).ReplaceEpoch(expected, epoch);
  }

  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) override {
    LookupResult result;
    ASSIGN_OR_RETURN(result.spaces, LookupPart<SpaceState>(request.spaces, &LookupRequest::spaces,
                                                           &LookupResult::spaces));
    ASSIGN_OR_RETURN(
        result.streams,
        LookupPart<StreamState>(request.streams, &LookupRequest::streams, &LookupResult::streams));
    ASSIGN_OR_RETURN(result.operations,
                     LookupPart<OperationState>(request.operations, &LookupRequest::operations,
                                                &LookupResult::operations));
    return result;
  }

  // Each shard's part is a commit of its own: when one gives no answer, what another applied is not
  // told, as for any commit without an answer.
  absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes) override {
    const std::vector<Part<LogWrite>> shares = Split(writes);
    std::vector<PartOfCommit> parts;
    for (std::size_t shard = 0; shard < shares.size(); ++shard) {
      const std::vector<LogWrite>& share = shares[shard].elements;
      if (!share.empty()) parts.push_back({share.size(), shards_[shard].storage->Commit(share)});
    }
    RETURN_IF_ERROR(Reconcile(absl::MakeSpan(parts)));
    std::vector<bool> applied(writes.size());
    auto part = parts.begin();
    for (const Part<LogWrite>& share : shares) {
      if (share.elements.empty()) continue;
      for (std::size_t i = 0; i < share.places.size(); ++i) {
        applied[share.places[i]] = (*part->applied)[i];
      }
      ++part;
    }
    return applied;
  }

  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data) override {
    v1::Head away;
    away.set_unavailable(true);
    return Bounded(Gather<v1::Head>(
        Split(streams), streams.size(),
        [with_data](EventStorage& storage, const std::vector<StreamName>& part) {
          return storage.ReadHeads(part, with_data);
        },
        away));
  }
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places) override {
    return Bounded(Gather<v1::Head>(Split(places), places.size(),
                                    [](EventStorage& storage, const std::vector<EventPlace>& part) {
                                      return storage.ReadEvents(part);
                                    }));
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read) override {
    return Of(read.stream.log_id).ReadStream(read);
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read) override {
    return Of(read.space.log_id).ReadSpace(read);
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read) override {
    return Of(read.log_id).ReadLog(read);
  }
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) override {
    return Gather<SpaceHead>(
        Split(spaces), spaces.size(),
        [](EventStorage& storage, const std::vector<SpaceName>& part) {
          return storage.SpaceHeads(part);
        },
        SpaceHead());
  }
  absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                           absl::string_view data) override {
    return Of(stream.log_id).PutSnapshot(stream, revision, data);
  }
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) override {
    return Of(stream.log_id).GetSnapshot(stream, revision_max);
  }
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    // Each time another one is first: what there is to sweep in one may never end.
    const std::size_t first = first_swept_.fetch_add(1, std::memory_order_relaxed);
    int64_t swept = 0;
    absl::Status failed;
    for (std::size_t i = 0; i < shards_.size() && swept < rows_max; ++i) {
      const StorageShard& shard = shards_[(first + i) % shards_.size()];
      const auto rows = shard.storage->SweepOperations(before_ms, rows_max - swept);
      if (rows.ok()) {
        swept += *rows;
      } else {
        failed = rows.status();
      }
    }
    if (swept == 0) RETURN_IF_ERROR(failed);
    return swept;
  }

 private:
  EventStorage& Of(uint32_t log_id) { return *shards_[shard_of_log_[log_id]].storage; }

  template <typename T>
  std::vector<Part<T>> Split(absl::Span<const T> elements) const {
    std::vector<Part<T>> parts(shards_.size());
    for (std::size_t i = 0; i < elements.size(); ++i) {
      Part<T>& part = parts[shard_of_log_[elements[i].log_id]];
      part.elements.push_back(elements[i]);
      part.places.push_back(i);
    }
    return parts;
  }

  // Calls each shard with its part and puts the results where their elements stood. `away`, if
  // there is one, stands for those of a shard that gives no answer, unless none does.
  template <typename Result, typename T, typename Call>
  absl::StatusOr<std::vector<Result>> Gather(std::vector<Part<T>> parts, std::size_t size,
                                             Call call,
                                             const std::optional<Result>& away = std::nullopt) {
    std::vector<Result> results(size);
    absl::Status silent;
    bool any_answer = false;
    for (std::size_t shard = 0; shard < parts.size(); ++shard) {
      const Part<T>& part = parts[shard];
      if (part.elements.empty()) continue;
      absl::StatusOr<std::vector<Result>> found = call(*shards_[shard].storage, part.elements);
      if (away.has_value() && absl::IsUnavailable(found.status())) {
        silent = found.status();
        for (const std::size_t place : part.places) results[place] = *away;
        continue;
      }
      RETURN_IF_ERROR(found.status());
      any_answer = true;
      for (std::size_t i = 0; i < found->size(); ++i) {
        results[part.places[i]] = std::move((*found)[i]);
      }
    }
    if (!any_answer) RETURN_IF_ERROR(silent);
    return results;
  }

  template <typename State, typename Name>
  absl::StatusOr<std::vector<State>> LookupPart(const std::vector<Name>& names,
                                                std::vector<Name> LookupRequest::*request_field,
                                                std::vector<State> LookupResult::*result_field) {
    return Gather<State>(Split(absl::MakeConstSpan(names)), names.size(),
                         [=](EventStorage& storage,
                             const std::vector<Name>& part) -> absl::StatusOr<std::vector<State>> {
                           LookupRequest request;
                           request.*request_field = part;
                           ASSIGN_OR_RETURN(LookupResult found, storage.Lookup(request));
                           return std::move(found.*result_field);
                         });
  }

  static absl::StatusOr<std::vector<v1::Head>> Bounded(
      absl::StatusOr<std::vector<v1::Head>> heads) {
    if (!heads.ok()) return heads;
    int64_t bytes = 0;
    for (const v1::Head& head : *heads) bytes += BytesOf(head);
    if (bytes <= kHeadsBytesMax) return heads;
    return MakeError(Reason::kTooLarge, "the events together are too large: ask for fewer");
  }

  const uint32_t log_count_;
  std::vector<StorageShard> shards_;
  std::vector<std::size_t> shard_of_log_;
  std::atomic<std::size_t> first_swept_{0};
};

}  // namespace

absl::Status CheckRanges(std::vector<LogRange> ranges, uint32_t log_count) {
  std::sort(ranges.begin(), ranges.end(),
            [](const LogRange& a, const LogRange& b) { return a.first < b.first; });
  uint32_t next = 0;
  for (const LogRange& range : ranges) {
    if (range.first != next || range.end <= range.first) {
      return absl::InvalidArgumentError(
          absl::StrCat("log ", std::min(next, range.first), " is in no range or in two"));
    }
    next = range.end;
  }
  if (next != log_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ranges end at log ", next, ", the store has ", log_count, " logs"));
  }
  return absl::OkStatus();
}

std::unique_ptr<EventStorage> MakeRoutedEventStorage(uint32_t log_count,
                                                     std::vector<StorageShard> shards) {
  return std::make_unique<RoutedEventStorage>(log_count, std::move(shards));
}

}  // namespace bdcsync::event_store
