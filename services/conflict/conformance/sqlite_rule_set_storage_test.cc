#include "services/conflict/storage/sqlite_rule_set_storage.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/conformance/rule_set_storage_conformance.h"

namespace bdcsync::conflict {
namespace {

std::unique_ptr<RuleSetStorage> OpenAt(absl::string_view path) {
  return testing::ValueOrFail(OpenSqliteRuleSetStorage(path));
}

class SqliteFile final : public RuleSetStorageHome {
 public:
  std::unique_ptr<RuleSetStorage> Open() override { return OpenAt(folder_.File("conflict.db")); }

 private:
  testing::TempDir folder_;
};

class SqliteMemory final : public RuleSetStorageHome {
 public:
  std::unique_ptr<RuleSetStorage> Open() override { return OpenAt(sql::kSqliteMemory); }
  bool durable() const override { return false; }
};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, RuleSetStorageConformance,
    ::testing::Values(RuleSetStorageKind{"file", [] { return std::make_unique<SqliteFile>(); }},
                      RuleSetStorageKind{"memory",
                                         [] { return std::make_unique<SqliteMemory>(); }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
