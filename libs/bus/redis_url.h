// Where a Redis server is and how to enter it, as written in a URL. Values only.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::bus {

struct RedisAddress {
  std::string host;
  int port = 0;
  std::string user;      // Empty: the server's default user.
  std::string password;  // Empty: no AUTH.

  // For messages; holds no secret.
  std::string Name() const;
};

// Reads redis://[user[:password]@]host[:port][/database], several separated by commas. User and
// password may be percent-encoded; an IPv6 host stands in brackets. The database has no meaning to
// publish and subscribe and is checked only. INVALID_ARGUMENT says what is wrong, without secrets.
absl::StatusOr<std::vector<RedisAddress>> ParseRedisUrls(absl::string_view urls);

}  // namespace bdcsync::bus
