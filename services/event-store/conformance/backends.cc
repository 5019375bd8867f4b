#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/conformance/event_storage_conformance.h"
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

// Small partitions, so that tests cross them.
class PostgresBackend final : public StorageBackend {
 public:
  explicit PostgresBackend(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}
  absl::StatusOr<std::unique_ptr<EventStorage>> Open(const EventStorageOptions& options) override {
    PostgresEventStorageOptions postgres;
    postgres.url = database_->url();
    postgres.partition_positions = 4;
    return OpenPostgresEventStorage(postgres, options, clock_, random_);
  }
  bool shared() const override { return true; }

 private:
  const std::unique_ptr<testing::PostgresDatabase> database_;
  SystemClock clock_;
  SeededRandom random_{kSeed};
};

absl::StatusOr<std::unique_ptr<StorageBackend>> MakePostgresBackend() {
  ASSIGN_OR_RETURN(auto database, testing::PostgresDatabase::Create());
  return std::make_unique<PostgresBackend>(std::move(database));
}

}  // namespace

std::string BackendName(const ::testing::TestParamInfo<BackendParam>& info) {
  return info.param.name;
}

std::vector<BackendParam> AllBackends() {
  std::vector<BackendParam> backends;
  backends.push_back({"SqliteMemory", [] { return std::make_unique<SqliteBackend>(true); }});
  backends.push_back({"SqliteFile", [] { return std::make_unique<SqliteBackend>(false); }});
  backends.push_back({"Postgres", MakePostgresBackend, /*needs_postgres=*/true});
  return backends;
}

}  // namespace bdcsync::event_store
