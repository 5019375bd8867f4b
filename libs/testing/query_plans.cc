#include "libs/testing/query_plans.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::testing {

std::string PlanOf(sql::SqliteDatabase& database, absl::string_view statement) {
  auto plan = database.Prepare(absl::StrCat("EXPLAIN QUERY PLAN ", statement));
  EXPECT_OK(plan) << statement;
  std::string text;
  while (plan.ok()) {
    const absl::StatusOr<bool> more = plan->Step();
    EXPECT_OK(more) << statement;
    if (!more.ok() || !*more) break;
    absl::StrAppend(&text, plan->Text(3), "\n");
  }
  return text;
}

std::string PlanOf(sql::PostgresPool& pool, const sql::PostgresStatement& statement,
                   absl::string_view arguments) {
  const std::string name = absl::StrCat("plan_", statement.name);
  const std::string call = arguments.empty() ? name : absl::StrCat(name, "(", arguments, ")");
  std::string text;
  EXPECT_OK(pool.Transaction([&](sql::PostgresSession& session) -> absl::Status {
    RETURN_IF_ERROR(session.Run("DEALLOCATE ALL").status());
    RETURN_IF_ERROR(session.Run(absl::StrCat("PREPARE ", name, " AS ", statement.text)).status());
    ASSIGN_OR_RETURN(const sql::PostgresResult plan,
                     session.Run(absl::StrCat("EXPLAIN EXECUTE ", call)));
    for (int row = 0; row < plan.size(); ++row) absl::StrAppend(&text, plan.Text(row, 0), "\n");
    return absl::OkStatus();
  })) << statement.name;
  return text;
}

}  // namespace bdcsync::testing
