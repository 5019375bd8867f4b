#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/conformance/event_storage_conformance.h"
#include "services/event-store/storage/open.h"
#include "services/event-store/storage/postgres_event_storage.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

constexpr uint64_t kSeed = 7;

class SqliteBackend final : public StorageBackend {
 public:
  explicit SqliteBackend(bool in_memory)
      : path_(in_memory ? std::string(sql::kSqliteMemory) : dir_.File("events.db")) {}
  absl::StatusOr<std::unique_ptr<EventStorage>> Open(const EventStorageOptions& options) override {
    return OpenSqliteEventStorage(path_, options, random_);
  }
  bool durable() const override { return path_ != sql::kSqliteMemory; }
  bool shared() const override { return durable(); }

 private:
  testing::TempDir dir_;
  const std::string path_;
  SeededRandom random_{kSeed};
};

class PostgresBackend final : public StorageBackend {
 public:
  PostgresBackend(std::unique_ptr<testing::PostgresDatabase> database, int64_t partition_positions)
      : database_(std::move(database)), partition_positions_(partition_positions) {}
  absl::StatusOr<std::unique_ptr<EventStorage>> Open(const EventStorageOptions& options) override {
    PostgresEventStorageOptions postgres;
    postgres.url = database_->url();
    postgres.partition_positions = partition_positions_;
    return OpenPostgresEventStorage(postgres, options, clock_, random_);
  }
  bool shared() const override { return true; }

 private:
  const std::unique_ptr<testing::PostgresDatabase> database_;
  const int64_t partition_positions_;
  SystemClock clock_;
  SeededRandom random_{kSeed};
};

absl::StatusOr<std::unique_ptr<StorageBackend>> MakePostgresBackend(int64_t partition_positions) {
  ASSIGN_OR_RETURN(auto database, testing::PostgresDatabase::Create());
  return std::make_unique<PostgresBackend>(std::move(database), partition_positions);
}

// Where the options do not say how many logs there are, the map does.
constexpr uint32_t kLogsOfMap = 4;

// Two databases, half of the logs each.
class RoutedBackend final : public StorageBackend {
 public:
  absl::Status Create() {
    for (auto& database : databases_) {
      ASSIGN_OR_RETURN(database, testing::PostgresDatabase::Create());
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<EventStorage>> Open(const EventStorageOptions& options) override {
    OpenOptions open;
    open.log_count = options.log_count;
    open.log_dsns["0-1"] = databases_[0]->url();
    const uint32_t logs = options.log_count == 0 ? new_logs() : options.log_count;
    open.log_dsns[absl::StrCat("2-", logs - 1)] = databases_[1]->url();
    ASSIGN_OR_RETURN(OpenedStorage opened, OpenEventStorage(open, clock_, random_));
    return std::move(opened.storage);
  }
  bool shared() const override { return true; }
  uint32_t new_logs() const override { return kLogsOfMap; }

 private:
  std::unique_ptr<testing::PostgresDatabase> databases_[2];
  SystemClock clock_;
  SeededRandom random_{kSeed};
};

absl::StatusOr<std::unique_ptr<StorageBackend>> MakeRoutedBackend() {
  auto backend = std::make_unique<RoutedBackend>();
  RETURN_IF_ERROR(backend->Create());
  return backend;
}

}  // namespace

std::string BackendName(const ::testing::TestParamInfo<BackendParam>& info) {
  return info.param.name;
}

std::vector<BackendParam> AllBackends(int64_t partition_positions) {
  std::vector<BackendParam> backends;
  backends.push_back({"SqliteMemory", [] { return std::make_unique<SqliteBackend>(true); }});
  backends.push_back({"SqliteFile", [] { return std::make_unique<SqliteBackend>(false); }});
  backends.push_back({"Postgres",
                      [partition_positions] { return MakePostgresBackend(partition_positions); },
                      /*needs_postgres=*/true});
  backends.push_back({"TwoPostgres", MakeRoutedBackend, /*needs_postgres=*/true});
  return backends;
}

}  // namespace bdcsync::event_store
