#include "libs/bus/redis_url.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::bus {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kPortMax = 65535;

absl::Status BadUrl(absl::string_view problem) {
  return MakeError(Reason::kInvalidArgument,
                   absl::StrCat("bus.url: ", problem,
                                "; expected memory: or redis://[user:password@]host[:port]"));
}

absl::StatusOr<std::string> DecodePercent(absl::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return BadUrl("a % in user or password needs two hexadecimal digits");
    }
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

absl::Status ReadCredentials(absl::string_view text, RedisAddress& address) {
  const std::size_t colon = text.find(':');
  ASSIGN_OR_RETURN(address.user, DecodePercent(text.substr(0, colon)));
  if (colon == absl::string_view::npos) return BadUrl("the user has no password");
  ASSIGN_OR_RETURN(address.password, DecodePercent(text.substr(colon + 1)));
  return absl::OkStatus();
}

absl::Status ReadHostAndPort(absl::string_view text, RedisAddress& address) {
  absl::string_view port;
  if (absl::ConsumePrefix(&text, "[")) {
    const std::size_t end = text.find(']');
    if (end == absl::string_view::npos) return BadUrl("an IPv6 host needs a closing bracket");
    address.host = std::string(text.substr(0, end));
    port = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    address.host = std::string(text.substr(0, colon));
    port = colon == absl::string_view::npos ? "" : text.substr(colon);
  }
  if (address.host.empty()) return BadUrl("the host is missing");
  address.port = kDefaultPort;
  if (port.empty()) return absl::OkStatus();
  if (!absl::ConsumePrefix(&port, ":") || !absl::SimpleAtoi(port, &address.port) ||
      address.port < 1 || address.port > kPortMax) {
    return BadUrl("the port is not a number from 1 to 65535");
  }
  return absl::OkStatus();
}

absl::StatusOr<RedisAddress> ParseOne(absl::string_view url) {
  if (absl::StartsWith(url, "rediss://")) return BadUrl("rediss:// (TLS) is not supported");
  if (!absl::ConsumePrefix(&url, "redis://")) return BadUrl("the scheme is not redis://");
  RedisAddress address;
  if (const std::size_t at = url.rfind('@'); at != absl::string_view::npos) {
    RETURN_IF_ERROR(ReadCredentials(url.substr(0, at), address));
    url.remove_prefix(at + 1);
  }
  if (const std::size_t slash = url.find('/'); slash != absl::string_view::npos) {
    const absl::string_view database = url.substr(slash + 1);
    int number = 0;
    if (!database.empty() && (!absl::SimpleAtoi(database, &number) || number < 0)) {
      return BadUrl("the database is not a number");
    }
    url = url.substr(0, slash);
  }
  RETURN_IF_ERROR(ReadHostAndPort(url, address));
  return address;
}

}  // namespace

std::string RedisAddress::Name() const { return absl::StrCat("redis://", host, ":", port); }

absl::StatusOr<std::vector<RedisAddress>> ParseRedisUrls(absl::string_view urls) {
  std::vector<RedisAddress> addresses;
  for (const absl::string_view url : absl::StrSplit(urls, ',')) {
    ASSIGN_OR_RETURN(RedisAddress address, ParseOne(absl::StripAsciiWhitespace(url)));
    addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace bdcsync::bus
