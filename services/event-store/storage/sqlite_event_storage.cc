#include "services/event-store/storage/sqlite_event_storage.h"

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/storage/sqlite_reader.h"
#include "services/event-store/storage/sqlite_writer.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

constexpr std::size_t kReadersMax = 8;  // Connections that read at once; more callers wait.

// What migration 0002 asks for.
std::string StreamIdOfNames(absl::Span<const absl::string_view> names) {
  const StreamId id = StreamIdOf(names[0], names[1]);
  return std::string(id.data(), id.size());
}

// A connection with the statements that read on it.
struct ReadConnection {
  std::unique_ptr<sql::SqliteDatabase> database;  // Null when it is the writer's.
  std::unique_ptr<SqliteReader> reader;
};

class SqliteEventStorage final : public EventStorage {
 public:
  explicit SqliteEventStorage(std::string path) : path_(std::move(path)) {}

  absl::Status Open(const EventStorageOptions& options, Random& random, int64_t cache_bytes) {
    absl::MutexLock lock(&write_mutex_);
    log_count_ = options.log_count;
    sql::SqliteOptions sqlite;
    sqlite.cache_bytes = cache_bytes;
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path_, sqlite));
    RETURN_IF_ERROR(database_->DefineFunction("stream_id_of", 2, StreamIdOfNames));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    ASSIGN_OR_RETURN(writer_, SqliteWriter::Create(*database_));
    RETURN_IF_ERROR(writer_->OpenStore(options, [&random] { return random.Bits64(); }));
    if (path_ == sql::kSqliteMemory) {
      ASSIGN_OR_RETURN(memory_reader_, SqliteReader::Create(*database_));
    }
    return absl::OkStatus();
  }

  std::optional<PageCache> TakePageCache() override {
    absl::MutexLock lock(&write_mutex_);
    const sql::SqlitePageCache taken = database_->TakePageCache();
    return PageCache{taken.bytes, taken.hits, taken.misses};
  }
  uint32_t log_count() const override { return log_count_; }

  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) override {
    return Read([&](SqliteReader& reader) -> absl::StatusOr<std::vector<LogState>> {
      if (log_ids.empty()) return reader.LoadAllLogs();
      std::vector<LogState> logs;
      for (const uint32_t log_id : log_ids) {
        ASSIGN_OR_RETURN(logs.emplace_back(), reader.LoadLog(log_id));
      }
      return logs;
    });
  }
  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) override {
    return Read([&](SqliteReader& reader) { return reader.Lookup(request); });
  }
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data) override {
    return Read([&](SqliteReader& reader) { return reader.ReadHeads(streams, with_data); });
  }
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places) override {
    return Read([&](SqliteReader& reader) { return reader.ReadEvents(places); });
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read) override {
    return Read([&](SqliteReader& reader) { return reader.ReadStream(read); });
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read) override {
    return Read([&](SqliteReader& reader) { return reader.ReadSpace(read); });
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read) override {
    return Read([&](SqliteReader& reader) { return reader.ReadLog(read); });
  }
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) override {
    return Read([&](SqliteReader& reader) { return reader.SpaceHeads(spaces); });
  }
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) override {
    return Read([&](SqliteReader& reader) { return reader.GetSnapshot(stream, revision_max); });
  }

  absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes) override {
    absl::MutexLock lock(&write_mutex_);
    return writer_->Commit(writes);
  }
  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) override {
    absl::MutexLock lock(&write_mutex_);
    return writer_->ReplaceEpoch(expected, epoch);
  }
  absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                           absl::string_view data) override {
    absl::MutexLock lock(&write_mutex_);
    return writer_->PutSnapshot(stream, revision, data);
  }
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    absl::MutexLock lock(&write_mutex_);
    return writer_->SweepOperations(before_ms, rows_max);
  }

 private:
  template <typename Work>
  auto Read(Work work) -> decltype(work(std::declval<SqliteReader&>())) {
    if (path_ == sql::kSqliteMemory) {
      absl::MutexLock lock(&write_mutex_);
      return work(*memory_reader_);
    }
    ASSIGN_OR_RETURN(ReadConnection connection, Acquire());
    auto result = work(*connection.reader);
    absl::MutexLock lock(&read_mutex_);
    idle_.push_back(std::move(connection));
    return result;
  }

  absl::StatusOr<ReadConnection> Acquire() {
    {
      absl::MutexLock lock(&read_mutex_);
      const auto available = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(read_mutex_) {
        return !idle_.empty() || open_ < kReadersMax;
      };
      read_mutex_.Await(absl::Condition(&available));
      if (!idle_.empty()) {
        ReadConnection connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
      ++open_;
    }
    absl::StatusOr<ReadConnection> connection = Connect();
    if (!connection.ok()) {
      absl::MutexLock lock(&read_mutex_);
      --open_;
    }
    return connection;
  }

  absl::StatusOr<ReadConnection> Connect() const {
    sql::SqliteOptions options;
    options.read_only = true;
    ReadConnection connection;
    ASSIGN_OR_RETURN(connection.database, sql::SqliteDatabase::Open(path_, options));
    ASSIGN_OR_RETURN(connection.reader, SqliteReader::Create(*connection.database));
    return connection;
  }

  const std::string path_;
  uint32_t log_count_ = 0;
  absl::Mutex write_mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(write_mutex_);
  std::unique_ptr<SqliteWriter> writer_ ABSL_GUARDED_BY(write_mutex_);
  std::unique_ptr<SqliteReader> memory_reader_ ABSL_GUARDED_BY(write_mutex_);
  absl::Mutex read_mutex_;
  std::vector<ReadConnection> idle_ ABSL_GUARDED_BY(read_mutex_);
  std::size_t open_ ABSL_GUARDED_BY(read_mutex_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventStorage>> OpenSqliteEventStorage(
    absl::string_view path, const EventStorageOptions& options, Random& random,
    int64_t cache_bytes) {
  auto storage = std::make_unique<SqliteEventStorage>(std::string(path.data(), path.size()));
  RETURN_IF_ERROR(storage->Open(options, random, cache_bytes));
  return storage;
}

}  // namespace bdcsync::event_store
