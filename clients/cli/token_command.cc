#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/token_source.h"
#include "libs/entity/key.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

constexpr absl::Duration kLifetime = absl::Hours(24);
constexpr std::size_t kDeviceIdBytesMax = 128;                        // What a gateway takes.
constexpr absl::Duration kLifetimeMax = absl::Hours(24 * 365 * 100);  // No server takes them all.

// SPACE=read or SPACE=write.
absl::Status ReadGrant(const std::string& grant, TokenClaims& claims) {
  const std::size_t equals = grant.rfind('=');
  const std::string access = equals == std::string::npos ? "" : grant.substr(equals + 1);
  const std::string space = grant.substr(0, equals);
  if ((access != "read" && access != "write") || !entity::ValidateSpace(space).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--grant must be SPACE=read or SPACE=write, not ", grant));
  }
  const auto [known, is_new] = claims.spaces.emplace(space, access);
  if (is_new || known->second == access) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--grant gives ", space, " both read and write: write is to read, too"));
}

}  // namespace

absl::StatusOr<int> RunToken(const Arguments& arguments, const Environment& environment) {
  TokenClaims claims;
  if (arguments.Has("user")) claims.user = arguments.Get("user");
  // Every user has a space, which is named after them.
  const absl::Status named = entity::ValidateSpace(absl::StrCat("user:", claims.user));
  if (!named.ok()) {
    return Usage(absl::StrCat("--user: ", named.message(), ", with user: before it"));
  }
  claims.device = arguments.Get("device");
  const bool is_device =
      claims.device.size() <= kDeviceIdBytesMax && entity::ValidateId(claims.device).ok();
  if (arguments.Has("device") && !is_device) {
    return Usage(absl::StrCat("--device must be 1 to ", kDeviceIdBytesMax,
                              " bytes of UTF-8 without control characters"));
  }
  claims.admin = arguments.Has("admin");
  for (const std::string& grant : arguments.GetAll("grant")) {
    if (absl::Status read = ReadGrant(grant, claims); !read.ok()) return UsageError(read);
  }
  const auto lifetime = ReadDuration(arguments, "expires", kLifetime);
  if (!lifetime.ok()) return UsageError(lifetime.status());
  if (*lifetime > kLifetimeMax) {
    return Usage(absl::StrCat("--expires must be at most ", absl::FormatDuration(kLifetimeMax)));
  }
  const auto secret = FindSecret(arguments, environment);
  if (!secret.ok()) return UsageError(secret.status());
  const absl::Time now = environment.clock.Now();
  const std::string token = MintToken(claims, now, *lifetime, *secret);
  if (!arguments.Has("json")) {
    environment.out << token << "\n";
    return 0;
  }
  json::Value line;
  line.Set("token", token);
  line.Set("user_id", claims.user);
  line.Set("expires", TimeText(absl::ToUnixMillis(now + *lifetime)));
  environment.out << json::Serialize(line) << "\n";
  return 0;
}

}  // namespace bdcsync::cli
