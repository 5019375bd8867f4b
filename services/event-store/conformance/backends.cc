#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/conformance/event_storage_conformance.h"
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

}  // namespace

std::string BackendName(const ::testing::TestParamInfo<BackendParam>& info) {
  return info.param.name;
}

std::vector<BackendParam> AllBackends() {
  std::vector<BackendParam> backends;
  backends.push_back({"SqliteMemory", [] { return std::make_unique<SqliteBackend>(true); }});
  backends.push_back({"SqliteFile", [] { return std::make_unique<SqliteBackend>(false); }});
  return backends;
}

}  // namespace bdcsync::event_store
