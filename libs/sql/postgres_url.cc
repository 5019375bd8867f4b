#include "libs/sql/postgres_url.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace bdcsync::sql {
namespace {

// Parameters of libpq that name a file which must be there.
constexpr absl::string_view kFileParameters[] = {"sslcert", "sslkey", "sslrootcert", "sslcrl",
                                                 "passfile"};

bool IsFileParameter(absl::string_view name) {
  for (const absl::string_view known : kFileParameters) {
    if (known == name) return true;
  }
  return false;
}

// Several hosts have a port each; an empty one is the default.
bool ArePorts(absl::string_view text) {
  for (const absl::string_view port : absl::StrSplit(text, ',')) {
    int number = 0;
    if (port.empty()) continue;
    if (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) return false;
  }
  return true;
}

absl::Status CheckParameter(const PQconninfoOption& option, absl::string_view key,
                            bool look_at_files) {
  if (option.val == nullptr || option.val[0] == '\0') return absl::OkStatus();
  const absl::string_view name(option.keyword);
  if (name == "port" && !ArePorts(absl::string_view(option.val))) {
    // What stands there is not shown: of a password with a / in it, libpq takes a part for the
    // port.
    return absl::InvalidArgumentError(absl::StrCat(
        key,
        ": the port is no number from 1 to 65535; in a password, / : @ ? # are written "
        "percent-encoded"));
  }
  const absl::string_view value(option.val);
  const bool names_file = IsFileParameter(name) && value != "system";  // The system's own CAs.
  if (!look_at_files || !names_file || access(option.val, R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(key, ": cannot read ", option.val, ", which its ",
                                                 name, " names: correct the path"));
}

absl::Status Check(const std::string& url, absl::string_view key, bool look_at_files) {
  // libpq's own message is not asked for: it may hold a part of the password.
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  if (options == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        key,
        " is no PostgreSQL URL: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with "
        "special characters percent-encoded and only parameters that libpq knows"));
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    RETURN_IF_ERROR(CheckParameter(*option, key, look_at_files));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPostgresUrl(const std::string& url, absl::string_view key) {
  return Check(url, key, /*look_at_files=*/true);
}

absl::Status CheckPostgresUrlText(const std::string& url, absl::string_view key) {
  return Check(url, key, /*look_at_files=*/false);
}

absl::Status CheckStorageUrl(const std::string& url) {
  if (url == "sqlite:") return absl::OkStatus();
  if (absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://")) {
    return CheckPostgresUrlText(url, "storage.url");
  }
  return absl::InvalidArgumentError("storage.url must be sqlite: or begin with postgresql://");
}

}  // namespace bdcsync::sql
