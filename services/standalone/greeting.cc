#include "services/standalone/greeting.h"

#include "absl/strings/str_cat.h"
#include "libs/json/value.h"
#include "libs/jwt/mint.h"

namespace bdcsync::standalone {
namespace {

constexpr char kUser[] = "dev";
constexpr absl::Duration kTokenLifetime = absl::Hours(24 * 30);
constexpr char kDefaultDataDir[] = "./data";
constexpr int kDefaultGrpcPort = 8766;

std::string DevelopmentToken(const GreetingInfo& info) {
  json::Value claims;
  claims.Set("sub", kUser);
  claims.Set("iat", absl::ToUnixSeconds(info.now));
  claims.Set("exp", absl::ToUnixSeconds(info.now + kTokenLifetime));
  return jwt::MintHs256(claims, info.secret);
}

}  // namespace

std::string Greeting(const GreetingInfo& info) {
  std::string text =
      absl::StrCat("BDC Sync is ready\n\n",                                           //
                   "  WebSocket  ws://", info.host, ":", info.websocket_port, "/\n",  //
                   "  gRPC       ", info.host, ":", info.grpc_port, "\n",             //
                   "  HTTP       http://", info.host, ":", info.http_port, "/readyz  /metrics\n");
  if (info.secret.empty()) return text;
  std::string flags;
  if (info.data_dir != kDefaultDataDir) absl::StrAppend(&flags, " --data-dir ", info.data_dir);
  if (info.grpc_port != kDefaultGrpcPort) {
    absl::StrAppend(&flags, " --address ", info.host, ":", info.grpc_port);
  }
  absl::StrAppend(&text, "\nDevelopment token (user ", kUser, ", 30 days):\n  ",
                  DevelopmentToken(info), "\n\nTry it, the first line in another terminal:\n",  //
                  "  ", info.program, " watch", flags, "\n",                                    //
                  "  ", info.program, " put note/hello '{\"text\":\"Hello\"}'", flags, "\n",    //
                  "  ", info.program, " patch note/hello '{\"text\":\"Hello, world\"}'", flags,
                  "\n\n");
  return text;
}

}  // namespace bdcsync::standalone
