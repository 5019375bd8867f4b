// A storage whose commits a test may hold, refuse or leave unanswered. Everything else goes to the
// storage beneath. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "services/event-store/conformance/queued_line.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

class HookedStorage : public EventStorage {
 public:
  using Result = absl::StatusOr<std::vector<bool>>;
  // Stands in for a commit; may call the storage beneath.
  using Hook = std::function<Result(EventStorage& beneath, absl::Span<const LogWrite> writes)>;

  // `beneath` is borrowed. With `sends_ahead`, lines are as PostgreSQL's (queued_line.h).
  HookedStorage(EventStorage& beneath, Hook commit, bool sends_ahead = false)
      : beneath_(beneath), commit_(std::move(commit)), sends_ahead_(sends_ahead) {}

  std::unique_ptr<CommitLine> OpenLine(Random& random) override {
    if (!sends_ahead_) return EventStorage::OpenLine(random);
    return std::make_unique<QueuedLine>(
        [this](absl::Span<const LogWrite> writes) { return Commit(writes); }, sent_);
  }
  // Commits that were sent by such lines.
  int sent() const { return sent_; }

  Result Commit(absl::Span<const LogWrite> writes) override { return commit_(beneath_, writes); }

  absl::Status CheckWritable() override { return beneath_.CheckWritable(); }
  uint32_t log_count() const override { return beneath_.log_count(); }
  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) override {
    return beneath_.LoadLogs(log_ids);
  }
  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) override {
    return beneath_.ReplaceEpoch(expected, epoch);
  }
  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) override {
    return beneath_.Lookup(request);
  }
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data) override {
    return beneath_.ReadHeads(streams, with_data);
  }
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places) override {
    return beneath_.ReadEvents(places);
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read) override {
    return beneath_.ReadStream(read);
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read) override {
    return beneath_.ReadSpace(read);
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read) override {
    return beneath_.ReadLog(read);
  }
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) override {
    return beneath_.SpaceHeads(spaces);
  }
  absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                           absl::string_view data) override {
    return beneath_.PutSnapshot(stream, revision, data);
  }
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) override {
    return beneath_.GetSnapshot(stream, revision_max);
  }
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    return beneath_.SweepOperations(before_ms, rows_max);
  }

 private:
  EventStorage& beneath_;
  const Hook commit_;
  const bool sends_ahead_;
  std::atomic<int> sent_{0};
};

}  // namespace bdcsync::event_store
