#include "services/conflict/storage/postgres_rule_set_storage.h"
#include "libs/base/clock.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/conformance/rule_set_storage_conformance.h"

namespace bdcsync::conflict {
namespace {

class PostgresHome final : public RuleSetStorageHome {
 public:
  explicit PostgresHome(std::unique_ptr<testing::PostgresDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<RuleSetStorage> Open() override {
    auto storage = OpenPostgresRuleSetStorage(database_->url(), clock_);
    EXPECT_OK(storage);
    return storage.ok() ? *std::move(storage) : nullptr;
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

void SkipWithoutServer() { BDC_NEEDS_POSTGRES(); }

std::unique_ptr<RuleSetStorageHome> MakeHome() {
  if (!testing::HasPostgres()) {
    SkipWithoutServer();
    return nullptr;
  }
  auto database = testing::PostgresDatabase::Create();
  EXPECT_OK(database);
  if (!database.ok()) return nullptr;
  return std::make_unique<PostgresHome>(*std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, RuleSetStorageConformance,
                         ::testing::Values(RuleSetStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
