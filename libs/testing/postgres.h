// A PostgreSQL database for one test, on the server that BDC_SYNC_TEST_POSTGRES names (the libpq
// URL of a superuser). Without a server tests skip, and fail where BDC_SYNC_REQUIRE_SERVERS=1.
// Every object has a database of its own and drops it at its end, so tests run in parallel.
//
//   BDC_NEEDS_POSTGRES();
//   ASSERT_OK_AND_ASSIGN(auto database, PostgresDatabase::Create());
//   sql::PostgresPool pool({.url = database->url(), .schema = "things"}, clock);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::sql {
class PostgresPool;
}

namespace bdcsync::testing {

// Whether a server is named.
bool HasPostgres();
// Whether tests must fail rather than skip when a server is missing.
bool RequiresServers();

class PostgresDatabase {
 public:
  static absl::StatusOr<std::unique_ptr<PostgresDatabase>> Create();
  ~PostgresDatabase();
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }
  // Cuts every connection to the database, as a failing server would; they are gone when it
  // returns.
  absl::Status CutConnections();
  // Refuses or allows new connections, as a server that is down or back.
  absl::Status AllowConnections(bool allow);
  // Runs SQL as the superuser, connected to the server's own database.
  absl::Status RunOnServer(absl::string_view sql);

 private:
  PostgresDatabase(std::string name, std::string url, std::unique_ptr<sql::PostgresPool> server);
  const std::string name_;
  const std::string url_;
  const std::unique_ptr<sql::PostgresPool> server_;
};

// A database; null where no server is named, and then the test is skipped or has failed as above.
std::unique_ptr<PostgresDatabase> DatabaseOrSkip();

}  // namespace bdcsync::testing

// Skips the test, or fails it where servers are required, unless a server is named.
#define BDC_NEEDS_POSTGRES()                                                                  \
  if (!::bdcsync::testing::HasPostgres()) {                                                   \
    if (::bdcsync::testing::RequiresServers()) FAIL() << "BDC_SYNC_TEST_POSTGRES is not set"; \
    GTEST_SKIP() << "BDC_SYNC_TEST_POSTGRES is not set";                                      \
  }
