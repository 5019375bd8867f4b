#include "services/event-store/storage/postgres_event_storage.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/storage/postgres_commit.h"
#include "services/event-store/storage/postgres_commit_line.h"
#include "services/event-store/storage/postgres_reader.h"
#include "services/event-store/storage/postgres_statements.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using sql::PostgresParams;
using sql::PostgresResult;
using sql::PostgresSession;

constexpr char kSchema[] = "event_store";
constexpr int64_t kSweepBlocksAtOnce = 1024;  // In one statement.

sql::PostgresOptions PoolOptions(const PostgresEventStorageOptions& postgres,
                                 std::size_t connections_max) {
  sql::PostgresOptions options;
  options.url = postgres.url;
  options.schema = kSchema;
  options.connections_max = connections_max;
  return options;
}

// Held by whoever makes the store's rows or partitions.
absl::Status TakeSchemaLock(PostgresSession& session) {
  const auto key = static_cast<int64_t>(StableHash64("event_store layout"));
  return session.Run(absl::StrCat("SELECT pg_advisory_xact_lock(", key, ")")).status();
}

class PostgresEventStorage final : public EventStorage {
 public:
  PostgresEventStorage(const PostgresEventStorageOptions& postgres,
                       const EventStorageOptions& options, const Clock& clock)
      : clock_(clock),
        options_(options),
        partition_positions_(postgres.partition_positions),
        sweep_blocks_max_(postgres.sweep_blocks_max),
        // Lines have connections of their own. Of a store of several servers all writers commit
        // here; one more is for partitions, snapshots and the sweep.
        write_pool_(PoolOptions(postgres, postgres.writers + 1), clock),
        read_pool_(PoolOptions(postgres, postgres.readers), clock),
        reader_(read_pool_) {}

  absl::Status Open(Random& random) {
    RETURN_IF_ERROR(sql::ApplyMigrations(write_pool_, PostgresMigrations()));
    RETURN_IF_ERROR(write_pool_.Transaction([&](PostgresSession& session) -> absl::Status {
      RETURN_IF_ERROR(TakeSchemaLock(session));
      ASSIGN_OR_RETURN(const PostgresResult store, session.Run("SELECT log_count FROM store"));
      if (options_.log_count == 0) {
        options_.log_count =
            store.size() == 0 ? kNewStoreLogCount : static_cast<uint32_t>(store.Int64(0, 0));
      }
      if (store.size() == 0) return MakeStore(session, random);
      return CheckStore(session, store.Int64(0, 0));
    }));
    ASSIGN_OR_RETURN(const std::vector<LogState> logs, LoadLogs({}));
    int64_t last = 0;
    for (const LogState& log : logs) last = std::max(last, log.next_position);
    return EnsurePartitions(last);
  }

  absl::Status CheckWritable() override {
    return write_pool_.Execute(postgres::kCheckWritable, PostgresParams()).status();
  }
  uint32_t log_count() const override { return options_.log_count; }

  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) override {
    ASSIGN_OR_RETURN(std::vector<LogState> logs, reader_.LoadLogs(log_ids));
    if (logs.size() < log_ids.size()) {
      return MakeErrorAt(Reason::kNotFound, "log_id", "there is no such log");
    }
    return logs;
  }
  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) override {
    return reader_.Lookup(request);
  }
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data) override {
    return reader_.ReadHeads(streams, with_data);
  }
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places) override {
    return reader_.ReadEvents(places);
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read) override {
    return reader_.ReadStream(read);
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read) override {
    return reader_.ReadSpace(read);
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read) override {
    return reader_.ReadLog(read);
  }
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) override {
    return reader_.SpaceHeads(spaces);
  }
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) override {
    return reader_.GetSnapshot(stream, revision_max);
  }

  absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes) override {
    DataCodec codec;
    const PostgresCommit commit = MakeCommit(writes, codec);
    RETURN_IF_ERROR(CheckComplete(commit));
    RETURN_IF_ERROR(EnsurePartitions(commit.next_position));
    ASSIGN_OR_RETURN(const PostgresResult rows,
                     write_pool_.Execute(commit.statement, commit.params));
    return CommitResult(writes, rows);
  }
  std::unique_ptr<CommitLine> OpenLine(Random& random) override {
    return std::make_unique<PostgresCommitLine>(
        write_pool_.options(), clock_, random,
        [this](int64_t last) { return EnsurePartitions(last); });
  }

  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) override {
    PostgresParams params;
    params.AddInt32(static_cast<int32_t>(expected.log_id));
    params.AddInt64(static_cast<int64_t>(expected.epoch)).AddInt64(expected.next_position);
    params.AddInt64(static_cast<int64_t>(epoch));
    ASSIGN_OR_RETURN(const PostgresResult rows,
                     write_pool_.Execute(postgres::kReplaceEpoch, params));
    if (rows.size() != 1) return absl::AbortedError("the log moved");
    return absl::OkStatus();
  }

  absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                           absl::string_view data) override {
    DataCodec codec;
    const DataCodec::Encoded encoded = codec.Encode(data);
    PostgresParams params;
    params.AddInt32(static_cast<int32_t>(stream.log_id));
    params.AddBytes(ViewOf(StreamIdOf(stream.space, stream.stream))).AddInt64(revision);
    params.AddInt16(static_cast<int16_t>(encoded.codec)).AddBytes(encoded.bytes);
    ASSIGN_OR_RETURN(const PostgresResult rows,
                     write_pool_.Execute(postgres::kPutSnapshot, params));
    if (rows.size() != 1) return MakeError(Reason::kNotFound, "there is no such stream");
    return absl::OkStatus();
  }

  // Goes on where the last sweep ended, and looks at no place twice.
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    ASSIGN_OR_RETURN(const PostgresResult size,
                     write_pool_.Execute(postgres::kOperationBlocks, PostgresParams()));
    const int64_t blocks = size.Int64(0, 0);
    int64_t begin = sweep_block_.load();
    int64_t swept = 0;
    for (int64_t looked = 0; looked < std::min(blocks, sweep_blocks_max_);) {
      if (begin >= blocks) begin = 0;
      const int64_t count = std::min(kSweepBlocksAtOnce, sweep_blocks_max_ - looked);
      PostgresParams params;
      params.AddInt64(before_ms).AddInt64(rows_max - swept);
      params.AddInt64(begin).AddInt64(begin + count);
      ASSIGN_OR_RETURN(const PostgresResult rows,
                       write_pool_.Execute(postgres::kSweepOperations, params));
      swept += rows.affected();
      if (swept >= rows_max) break;  // These blocks may have more.
      looked += count;
      begin += count;
      sweep_block_.store(begin);
    }
    return swept;
  }

 private:
  uint32_t first_log() const { return options_.first_log; }
  uint32_t end_log() const { return options_.end_log == 0 ? options_.log_count : options_.end_log; }

  absl::Status MakeStore(PostgresSession& session, Random& random) {
    RETURN_IF_ERROR(session
                        .Run(absl::StrCat("INSERT INTO store(only_row, log_count) VALUES (1, ",
                                          options_.log_count, ")"))
                        .status());
    std::string rows;
    for (uint32_t log_id = first_log(); log_id < end_log(); ++log_id) {
      absl::StrAppend(&rows, rows.empty() ? "" : ", ", "(", log_id, ", ",
                      static_cast<int64_t>(random.Bits64()), ", 1, 1, 0)");
    }
    return session
        .Run(absl::StrCat("INSERT INTO log_heads(log_id, epoch, next_position, next_space_id, "
                          "last_time_ms) VALUES ",
                          rows))
        .status();
  }

  absl::Status CheckStore(PostgresSession& session, int64_t log_count) {
    if (log_count != options_.log_count) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the store was created with ", log_count, " logs and event_store.log_count says ",
          options_.log_count, ": the number is fixed, set the key to ", log_count));
    }
    ASSIGN_OR_RETURN(const PostgresResult logs,
                     session.Run("SELECT min(log_id), max(log_id) + 1, count(*) FROM log_heads"));
    if (logs.Int64(0, 0) != first_log() || logs.Int64(0, 1) != end_log()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database holds logs ", logs.Int64(0, 0), "-", logs.Int64(0, 1) - 1,
                       " and storage.log_dsns says ", first_log(), "-", end_log() - 1,
                       ": logs do not move by themselves, put the map back"));
    }
    return absl::OkStatus();
  }

  // Makes partitions so that positions up to `last` and half a partition more have a place.
  absl::Status EnsurePartitions(int64_t last) {
    const int64_t needed = last + partition_positions_ / 2 + 1;
    if (needed <= partitions_end_.load(std::memory_order_acquire)) return absl::OkStatus();
    const int64_t count = needed / partition_positions_ + 1;
    RETURN_IF_ERROR(write_pool_.Transaction([&](PostgresSession& session) -> absl::Status {
      RETURN_IF_ERROR(TakeSchemaLock(session));
      for (int64_t i = partitions_end_.load() / partition_positions_; i < count; ++i) {
        RETURN_IF_ERROR(MakePartition(session, i));
      }
      return absl::OkStatus();
    }));
    partitions_end_.store(count * partition_positions_, std::memory_order_release);
    return absl::OkStatus();
  }

  // Attaching, unlike creating in place, does not lock out those who read and write.
  absl::Status MakePartition(PostgresSession& session, int64_t number) {
    const std::string name = absl::StrCat("events_p", number);
    ASSIGN_OR_RETURN(
        const PostgresResult known,
        session.Run(absl::StrCat("SELECT to_regclass('", kSchema, ".", name, "') IS NOT NULL")));
    if (known.Bool(0, 0)) return absl::OkStatus();
    const int64_t begin = number * partition_positions_;
    return session
        .Run(absl::StrCat("CREATE TABLE ", name,
                          " (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE);"
                          "ALTER TABLE events ATTACH PARTITION ",
                          name, " FOR VALUES FROM (", begin, ") TO (", begin + partition_positions_,
                          ")"))
        .status();
  }

  const Clock& clock_;
  EventStorageOptions options_;  // With the number of logs once it is open.
  const int64_t partition_positions_;
  const int64_t sweep_blocks_max_;
  sql::PostgresPool write_pool_;
  sql::PostgresPool read_pool_;
  PostgresReader reader_;
  std::atomic<int64_t> partitions_end_{0};
  std::atomic<int64_t> sweep_block_{0};  // Where the next sweep begins.
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventStorage>> OpenPostgresEventStorage(
    const PostgresEventStorageOptions& postgres, const EventStorageOptions& options,
    const Clock& clock, Random& random) {
  auto storage = std::make_unique<PostgresEventStorage>(postgres, options, clock);
  RETURN_IF_ERROR(storage->Open(random));
  return storage;
}

}  // namespace bdcsync::event_store
