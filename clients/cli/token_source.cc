#include "clients/cli/token_source.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/input.h"
#include "libs/json/parse.h"
#include "libs/jwt/mint.h"

namespace bdcsync::cli {
namespace {

// Long enough for a call and for clocks that differ.
constexpr absl::Duration kCallTokenLifetime = absl::Minutes(10);

std::string Variable(const Environment& environment, const char* name) {
  const auto found = environment.variables.find(name);
  return found == environment.variables.end() ? std::string() : found->second;
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  std::string secret = ReadFile(path).value_or("");
  absl::StripTrailingAsciiWhitespace(&secret);
  if (secret.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "there is no secret in ", path,
        ": set BDC_SYNC_JWT_SECRET, or point --data-dir to the data folder of `bdc-sync serve`"));
  }
  return secret;
}

}  // namespace

std::string MintToken(const TokenClaims& claims, absl::Time issued, absl::Duration lifetime,
                      absl::string_view secret) {
  json::Value value;
  value.Set("sub", claims.user);
  value.Set("iat", absl::ToUnixSeconds(issued));
  value.Set("exp", absl::ToUnixSeconds(issued + lifetime));
  if (!claims.device.empty()) value.Set("device_id", claims.device);
  if (claims.admin) value.Set("admin", true);
  if (!claims.spaces.empty()) {
    json::Value& spaces = value.Set("spaces", json::Value(json::Object()));
    for (const auto& [space, access] : claims.spaces) spaces.Set(space, access);
  }
  return jwt::MintHs256(value, secret);
}

absl::StatusOr<std::string> FindSecret(const Arguments& arguments, const Environment& environment) {
  if (arguments.Has("secret-file")) return ReadSecret(arguments.Get("secret-file"));
  if (std::string secret = Variable(environment, "BDC_SYNC_JWT_SECRET"); !secret.empty()) {
    return secret;
  }
  if (const std::string path = Variable(environment, "BDC_SYNC_JWT_SECRET_FILE"); !path.empty()) {
    return ReadSecret(path);
  }
  const std::string data_dir =
      arguments.Has("data-dir") ? arguments.Get("data-dir") : kDefaultDataDir;
  return ReadSecret(absl::StrCat(data_dir, "/", kSecretFile));
}

bool IsToken(absl::string_view text) {
  return absl::c_all_of(text, [](unsigned char c) { return absl::ascii_isgraph(c); });
}

std::string OwnSpace(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  std::string claims;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &claims)) return "";
  const absl::StatusOr<json::Value> value = json::Parse(claims);
  const json::Value* const user = value.ok() ? value->Find("sub") : nullptr;
  if (user == nullptr || !user->is_string() || user->string().empty()) return "";
  return absl::StrCat("user:", user->string());
}

std::function<std::string()> MakeTokenSource(const Arguments& arguments,
                                             const Environment& environment) {
  if (arguments.Has("token")) return [token = arguments.Get("token")] { return token; };
  const absl::StatusOr<std::string> secret = FindSecret(arguments, environment);
  if (!secret.ok()) return [] { return std::string(); };
  TokenClaims claims;
  if (arguments.Has("user")) claims.user = arguments.Get("user");
  return [claims, secret = *secret, &clock = environment.clock] {
    return MintToken(claims, clock.Now(), kCallTokenLifetime, secret);
  };
}

}  // namespace bdcsync::cli
