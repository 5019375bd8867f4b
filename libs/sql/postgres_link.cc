#include "libs/sql/postgres_link.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace bdcsync::sql {
namespace {

constexpr absl::string_view kUniqueViolation = "23505";
constexpr absl::string_view kCompletionUnknown = "40003";
constexpr absl::string_view kReadOnlyTransaction = "25006";

}  // namespace

absl::string_view FirstLine(absl::string_view text) { return text.substr(0, text.find('\n')); }

bool IsReadOnlyState(absl::string_view sqlstate) { return sqlstate == kReadOnlyTransaction; }

absl::Status StatusOfState(absl::string_view sqlstate, absl::string_view message) {
  const std::string text = absl::StrCat("PostgreSQL ", sqlstate, ": ", message);
  if (sqlstate == kUniqueViolation) return absl::AlreadyExistsError(FirstLine(text));
  if (sqlstate == kCompletionUnknown) return absl::UnavailableError(FirstLine(text));
  // 40: rolled back by the server; 57: the operator or a timeout ended it; 55: a lock was not free;
  // 25: read-only after failover; 53: it is out of something; 08: the connection.
  const absl::string_view group = sqlstate.substr(0, 2);
  if (group == "40") return absl::AbortedError(FirstLine(text));
  if (group == "57" || group == "55" || group == "25" || group == "53" || group == "08") {
    return absl::UnavailableError(FirstLine(text));
  }
  return absl::InternalError(text);
}

std::string ConnectionString(const PostgresOptions& options) {
  // Key lookups only, so statistics of a young table must never lead to a scan of a grown one.
  const std::string settings =
      absl::StrCat("-c search_path=", options.schema,
                   " -c statement_timeout=", absl::ToInt64Milliseconds(options.statement_timeout),
                   " -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off",
                   " -c enable_mergejoin=off -c client_min_messages=warning");
  const int64_t connect_seconds =
      std::max<int64_t>(1, absl::ToInt64Seconds(options.connect_timeout));
  const bool is_url = options.url.find("://") != std::string::npos;
  if (!is_url) {
    return absl::StrCat(options.url, " options='", settings, "' connect_timeout=", connect_seconds,
                        " tcp_user_timeout=10000");
  }
  std::string escaped;
  for (const char c : settings) {
    if (c == ' ') {
      escaped += "%20";
    } else if (c == '=') {
      escaped += "%3D";
    } else {
      escaped += c;
    }
  }
  return absl::StrCat(options.url, options.url.find('?') == std::string::npos ? "?" : "&",
                      "options=", escaped, "&connect_timeout=", connect_seconds,
                      "&tcp_user_timeout=10000");
}

}  // namespace bdcsync::sql
