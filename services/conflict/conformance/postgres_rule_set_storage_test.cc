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
    return testing::ValueOrFail(OpenPostgresRuleSetStorage(database_->url(), clock_));
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<testing::PostgresDatabase> database_;
};

std::unique_ptr<RuleSetStorageHome> MakeHome() {
  auto database = testing::DatabaseOrSkip();
  return database == nullptr ? nullptr : std::make_unique<PostgresHome>(std::move(database));
}

INSTANTIATE_TEST_SUITE_P(Postgres, RuleSetStorageConformance,
                         ::testing::Values(RuleSetStorageKind{"server", MakeHome}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bdcsync::conflict
