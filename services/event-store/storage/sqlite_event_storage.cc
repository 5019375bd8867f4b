#include "services/event-store/storage/sqlite_event_storage.h"

#include <atomic>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "services/event-store/periodic_task.h"
#include "services/event-store/storage/journal.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/storage/sqlite_reader.h"
#include "services/event-store/storage/sqlite_tail.h"
#include "services/event-store/storage/sqlite_writer.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

constexpr std::size_t kReadersMax = 8;  // Connections that read at once; more callers wait.
// Commits are brought into SQLite's files at the second of these ends at the latest.
constexpr absl::Duration kSettleInterval = absl::Seconds(1);
constexpr char kJournalSuffix[] = "-tail";

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

  ~SqliteEventStorage() override {
    settler_.reset();
    absl::MutexLock lock(&write_mutex_);
    // Otherwise the journal stays, and the next to open the store finds everything there.
    if (tail_ != nullptr && tail_->Settle().ok() && journal_ != nullptr) {
      journal_->Remove().IgnoreError();
    }
  }

  absl::Status Open(const EventStorageOptions& options, Random& random, int64_t cache_bytes) {
    absl::MutexLock lock(&write_mutex_);
    sql::SqliteOptions sqlite;
    sqlite.cache_bytes = cache_bytes;
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path_, sqlite));
    if (path_ != sql::kSqliteMemory) {
      ASSIGN_OR_RETURN(journal_, Journal::Open(path_ + kJournalSuffix, random));
    }
    RETURN_IF_ERROR(database_->DefineFunction("stream_id_of", 2, StreamIdOfNames));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    ASSIGN_OR_RETURN(writer_, SqliteWriter::Create(*database_));
    ASSIGN_OR_RETURN(log_count_,
                     writer_->OpenStore(options, [&random] { return random.Bits64(); }));
    ASSIGN_OR_RETURN(latest_reader_, SqliteReader::Create(*database_));
    ASSIGN_OR_RETURN(tail_, SqliteTail::Create(*database_, *writer_, *latest_reader_,
                                               journal_.get(), SqliteTailLimits()));
    if (journal_ != nullptr) {
      settler_ = std::make_unique<PeriodicTask>(kSettleInterval, [this] { SettleNow(); });
    }
    return absl::OkStatus();
  }

  std::optional<PageCache> TakePageCache() override {
    absl::MutexLock lock(&write_mutex_);
    const sql::SqlitePageCache taken = database_->TakePageCache();
    return PageCache{taken.bytes, taken.hits, taken.misses};
  }
  absl::Status CheckWritable() override {
    absl::MutexLock lock(&write_mutex_);
    return tail_->blocked();
  }
  std::optional<Tail> TakeTail() override {
    absl::MutexLock lock(&write_mutex_);
    return tail_->Take();
  }
  uint32_t log_count() const override { return log_count_; }

  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) override {
    return ReadLatest([&](SqliteReader& reader) -> absl::StatusOr<std::vector<LogState>> {
      if (log_ids.empty()) return reader.LoadAllLogs();
      std::vector<LogState> logs;
      for (const uint32_t log_id : log_ids) {
        ASSIGN_OR_RETURN(logs.emplace_back(), reader.LoadLog(log_id));
      }
      return logs;
    });
  }
  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) override {
    return ReadLatest([&](SqliteReader& reader) { return reader.Lookup(request); });
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
    return ReadLatest([&](SqliteReader& reader) { return reader.SpaceHeads(spaces); });
  }
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) override {
    return Read([&](SqliteReader& reader) { return reader.GetSnapshot(stream, revision_max); });
  }

  absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes) override {
    absl::MutexLock lock(&write_mutex_);
    auto applied = tail_->Commit(writes);
    hidden_ = tail_->hidden();
    return applied;
  }
  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) override {
    return RunSettled([&] { return WriterLocked().ReplaceEpoch(expected, epoch); });
  }
  absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                           absl::string_view data) override {
    return RunSettled([&] { return WriterLocked().PutSnapshot(stream, revision, data); });
  }
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    int64_t swept = 0;
    RETURN_IF_ERROR(RunSettled([&]() -> absl::Status {
      ASSIGN_OR_RETURN(swept, WriterLocked().SweepOperations(before_ms, rows_max));
      return absl::OkStatus();
    }));
    return swept;
  }

 private:
  SqliteWriter& WriterLocked() ABSL_NO_THREAD_SAFETY_ANALYSIS { return *writer_; }

  absl::Status RunSettled(absl::FunctionRef<absl::Status()> work) {
    absl::MutexLock lock(&write_mutex_);
    absl::Status status = tail_->RunSettled(work);
    hidden_ = tail_->hidden();
    return status;
  }

  // Lets readers see every commit. False: the disk is full, and only the writer's connection does.
  bool PublishLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    // What is wrong comes back with the next call; while it lasts, the settler tries.
    if (tail_->blocked().ok()) tail_->Publish().IgnoreError();
    hidden_ = tail_->hidden();
    return !hidden_;
  }

  void SettleNow() {
    absl::MutexLock lock(&write_mutex_);
    // What is wrong comes back with the next call.
    tail_->SettleAged().IgnoreError();
    hidden_ = tail_->hidden();
  }

  // Reads a little on the writer's connection, which sees commits before others do.
  template <typename Work>
  auto ReadLatest(Work work) -> decltype(work(std::declval<SqliteReader&>())) {
    absl::MutexLock lock(&write_mutex_);
    return ReadLatestLocked(std::move(work));
  }

  template <typename Work>
  std::invoke_result_t<Work, SqliteReader&> ReadLatestLocked(Work work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    RETURN_IF_ERROR(tail_->Restore());
    return work(*latest_reader_);
  }

  template <typename Work>
  auto Read(Work work) -> decltype(work(std::declval<SqliteReader&>())) {
    if (path_ == sql::kSqliteMemory) return ReadLatest(std::move(work));
    if (hidden_.load()) {
      absl::MutexLock lock(&write_mutex_);
      if (!PublishLocked()) return ReadLatestLocked(std::move(work));
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
  std::unique_ptr<SqliteReader> latest_reader_ ABSL_GUARDED_BY(write_mutex_);
  std::unique_ptr<Journal> journal_ ABSL_GUARDED_BY(write_mutex_);
  std::unique_ptr<SqliteTail> tail_ ABSL_GUARDED_BY(write_mutex_);
  std::atomic<bool> hidden_ = false;  // Commits that were answered and readers would not see.
  absl::Mutex read_mutex_;
  std::vector<ReadConnection> idle_ ABSL_GUARDED_BY(read_mutex_);
  std::size_t open_ ABSL_GUARDED_BY(read_mutex_) = 0;
  std::unique_ptr<PeriodicTask> settler_;
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
