#include "services/conflict/storage/sqlite_desk_storage.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/conformance/desk_storage_conformance.h"
#include "services/conflict/storage/sqlite_analysis_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

class SqliteFile final : public DeskStorageHome {
 public:
  std::unique_ptr<DeskStorage> OpenDesk() override {
    return testing::ValueOrFail(OpenSqliteDeskStorage(path_));
  }
  std::unique_ptr<ResolutionStorage> OpenRecords() override {
    return testing::ValueOrFail(OpenSqliteResolutionStorage(path_));
  }
  std::unique_ptr<AnalysisStorage> OpenAnalysis() override {
    return testing::ValueOrFail(OpenSqliteAnalysisStorage(path_));
  }

 private:
  testing::TempDir folder_;
  const std::string path_ = folder_.File("conflict.db");
};

INSTANTIATE_TEST_SUITE_P(Sqlite, DeskStorageConformance,
                         ::testing::Values(DeskStorageKind{
                             "file", [] { return std::make_unique<SqliteFile>(); }}),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Sqlite, AnalysisConformance,
                         ::testing::Values(DeskStorageKind{
                             "file", [] { return std::make_unique<SqliteFile>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
