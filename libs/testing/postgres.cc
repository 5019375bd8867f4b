#include "libs/testing/postgres.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/sql/postgres.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::testing {
namespace {

constexpr int kCutMaxMs = 5000;  // Until the server has closed a connection.

std::string ServerUrl() {
  const char* url = std::getenv("BDC_SYNC_TEST_POSTGRES");
  return url == nullptr ? std::string() : std::string(url);
}

// The URL with another database: what stands between the last '/' and a '?'.
std::string WithDatabase(const std::string& url, const std::string& name) {
  const std::size_t options = url.find('?');
  const std::string base = url.substr(0, options);
  const std::size_t authority = base.find("://") + 3;
  const std::size_t slash = base.find('/', authority);
  return absl::StrCat(base.substr(0, slash), "/", name,
                      options == std::string::npos ? "" : url.substr(options));
}

const Clock& RealClock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace

bool HasPostgres() { return !ServerUrl().empty(); }

bool RequiresServers() {
  const char* value = std::getenv("BDC_SYNC_REQUIRE_SERVERS");
  return value != nullptr && absl::string_view(value) == "1";
}

PostgresDatabase::PostgresDatabase(std::string name, std::string url,
                                   std::unique_ptr<sql::PostgresPool> server)
    : name_(std::move(name)), url_(std::move(url)), server_(std::move(server)) {}

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresDatabase::Create() {
  sql::PostgresOptions options;
  options.url = ServerUrl();
  options.schema = "public";
  options.connections_max = 1;
  auto server = std::make_unique<sql::PostgresPool>(options, RealClock());
  SystemRandom random;
  const std::string name = absl::StrCat("bdc_test_", Hex64(random.Bits64()));
  RETURN_IF_ERROR(server->Run(absl::StrCat("CREATE DATABASE ", name)).status());
  return std::unique_ptr<PostgresDatabase>(
      new PostgresDatabase(name, WithDatabase(options.url, name), std::move(server)));
}

PostgresDatabase::~PostgresDatabase() {
  const absl::Status dropped =
      RunOnServer(absl::StrCat("DROP DATABASE IF EXISTS ", name_, " WITH (FORCE)"));
  EXPECT_TRUE(dropped.ok()) << dropped;
}

absl::Status PostgresDatabase::CutConnections() {
  return RunOnServer(absl::StrCat("SELECT pg_terminate_backend(pid, ", kCutMaxMs,
                                  ") FROM pg_stat_activity WHERE datname = '", name_, "'"));
}

absl::Status PostgresDatabase::AllowConnections(bool allow) {
  return RunOnServer(
      absl::StrCat("ALTER DATABASE ", name_, " ALLOW_CONNECTIONS ", allow ? "true" : "false"));
}

absl::Status PostgresDatabase::RunOnServer(absl::string_view sql) {
  return server_->Run(sql).status();
}

std::unique_ptr<PostgresDatabase> DatabaseOrSkip() {
  const auto check = [] { BDC_NEEDS_POSTGRES(); };
  check();
  return HasPostgres() ? ValueOrFail(PostgresDatabase::Create()) : nullptr;
}

}  // namespace bdcsync::testing
