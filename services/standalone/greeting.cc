#include "services/standalone/greeting.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/json/value.h"
#include "libs/jwt/mint.h"

namespace bdcsync::standalone {
namespace {

constexpr char kUser[] = "dev";
constexpr absl::Duration kTokenLifetime = absl::Hours(24 * 30);
constexpr char kDefaultDataDir[] = "./data";
constexpr char kDefaultHost[] = "127.0.0.1";
constexpr int kDefaultGrpcPort = 8766;
constexpr char kCaFile[] = "ca.pem";  // Of whoever signed the server's certificate.

std::string DevelopmentToken(const GreetingInfo& info) {
  json::Value claims;
  claims.Set("sub", kUser);
  claims.Set("iat", absl::ToUnixSeconds(info.now));
  claims.Set("exp", absl::ToUnixSeconds(info.now + kTokenLifetime));
  return jwt::MintHs256(claims, info.secret);
}

// A word for the shell.
std::string Word(const std::string& text) {
  constexpr absl::string_view kPlain = "./_-:=@%+,";
  const bool plain = absl::c_all_of(text, [kPlain](unsigned char c) {
    return absl::ascii_isalnum(c) || kPlain.find(static_cast<char>(c)) != kPlain.npos;
  });
  return plain ? text : absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// As addresses have it: IPv6 in brackets.
std::string Host(const std::string& host) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
}

// Where a client of this machine finds what listens on `host`, which may be all addresses.
std::string ClientHost(const std::string& host) {
  if (host == "0.0.0.0") return kDefaultHost;
  return host == "::" ? "[::1]" : Host(host);
}

}  // namespace

std::string Greeting(const GreetingInfo& info) {
  const std::string host = Host(info.host);
  const std::string websocket = info.websocket_port == 0
                                    ? "on a free port, which the log tells"
                                    : absl::StrCat(info.websocket_tls ? "wss://" : "ws://", host,
                                                   ":", info.websocket_port, "/");
  std::string text = absl::StrCat("BDC Sync is ready\n\n",                           //
                                  "  WebSocket  ", websocket, "\n",                  //
                                  "  gRPC       ", host, ":", info.grpc_port, "\n",  //
                                  "  HTTP       ", info.http_tls ? "https://" : "http://", host,
                                  ":", info.http_port, "/readyz  /metrics\n");
  if (info.secret.empty()) return text;
  std::string flags;
  if (info.data_dir != kDefaultDataDir) {
    absl::StrAppend(&flags, " --data-dir ", Word(info.data_dir));
  }
  const std::string client_host = ClientHost(info.host);
  if (info.grpc_port != kDefaultGrpcPort || client_host != kDefaultHost) {
    absl::StrAppend(&flags, " --address ", Word(absl::StrCat(client_host, ":", info.grpc_port)));
  }
  if (info.grpc_tls) absl::StrAppend(&flags, " --tls-ca ", kCaFile);
  const std::string program = Word(info.program);
  absl::StrAppend(&text, "\nDevelopment token (user ", kUser, ", 30 days):\n  ",
                  DevelopmentToken(info), "\n\nTry it, the first line in another terminal:\n",  //
                  "  ", program, " watch", flags, "\n",                                         //
                  "  ", program, " put note/hello '{\"text\":\"Hello\"}'", flags, "\n",         //
                  "  ", program, " patch note/hello '{\"text\":\"Hello, world\"}'", flags, "\n\n");
  return text;
}

}  // namespace bdcsync::standalone
