#include "services/conflict/storage/sqlite_resolution_storage.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/conformance/resolution_storage_conformance.h"

namespace bdcsync::conflict {
namespace {

std::unique_ptr<ResolutionStorage> OpenAt(absl::string_view path) {
  return testing::ValueOrFail(OpenSqliteResolutionStorage(path));
}

class SqliteFile final : public ResolutionStorageHome {
 public:
  std::unique_ptr<ResolutionStorage> Open() override {
    return OpenAt(folder_.File("resolutions.db"));
  }

 private:
  testing::TempDir folder_;
};

class SqliteMemory final : public ResolutionStorageHome {
 public:
  std::unique_ptr<ResolutionStorage> Open() override { return OpenAt(sql::kSqliteMemory); }
  bool durable() const override { return false; }
};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, ResolutionStorageConformance,
    ::testing::Values(ResolutionStorageKind{"file", [] { return std::make_unique<SqliteFile>(); }},
                      ResolutionStorageKind{"memory",
                                            [] { return std::make_unique<SqliteMemory>(); }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
