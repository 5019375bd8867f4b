#include "libs/sql/postgres_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/testing/status_matchers.h"

namespace bdcsync::sql {
namespace {

using ::bdcsync::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string MessageFor(const std::string& url) {
  const absl::Status status = CheckPostgresUrl(url, "storage.url");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  return std::string(status.message());
}

TEST(PostgresUrlTest, TakesWhatLibpqTakes) {
  for (const char* url : {"postgresql://", "postgresql://user:p%40ss@host:5432/db",
                          "postgresql://h1:5432,h2:5433/db?target_session_attrs=read-write",
                          "postgresql:///db?host=/var/run/postgresql"}) {
    EXPECT_OK(CheckPostgresUrl(url, "storage.url")) << url;
  }
}

TEST(PostgresUrlTest, RefusesBadSyntaxWithoutShowingThePassword) {
  for (const char* url : {"postgresql://u:secret%zz@h/d", "postgresql://u:secret@[::1/d",
                          "postgresql://u:secret@h/d?bogus=1"}) {
    EXPECT_THAT(MessageFor(url), AllOf(HasSubstr("storage.url is no PostgreSQL URL: write"),
                                       Not(HasSubstr("secret"))));
  }
}

TEST(PostgresUrlTest, RefusesAPortThatIsNone) {
  for (const char* port : {"0", "65536", "x1"}) {
    EXPECT_THAT(MessageFor(std::string("postgresql://u:secret@h:") + port + "/d"),
                AllOf(HasSubstr("the port is no number"), Not(HasSubstr("secret"))));
  }
  // Its part before the / stands where the port would.
  EXPECT_THAT(MessageFor("postgresql://u:secret/rest@h:5432/d"),
              AllOf(HasSubstr("percent-encoded"), Not(HasSubstr("secret"))));
  EXPECT_OK(CheckPostgresUrl("postgresql://h:65535/d", "storage.url"));
}

TEST(PostgresUrlTest, NamesAFileThatCannotBeRead) {
  for (const char* name : {"sslcert", "sslkey", "sslrootcert", "passfile"}) {
    EXPECT_THAT(MessageFor(std::string("postgresql://h/d?") + name + "=/nowhere/x.pem"),
                AllOf(HasSubstr("/nowhere/x.pem"), HasSubstr(name)));
  }
}

}  // namespace
}  // namespace bdcsync::sql
