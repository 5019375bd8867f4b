#include "clients/cli/address.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace bdcsync::cli {
namespace {

constexpr int kPortMax = 65535;

}  // namespace

absl::Status CheckAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix")) return absl::OkStatus();
  for (const absl::string_view scheme : {"http://", "https://", "ws://", "wss://", "grpc://"}) {
    if (!absl::StartsWith(address, scheme)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(address, " is a URL: write the gateway's gRPC address as HOST:PORT"));
  }
  const size_t colon = address.rfind(':');
  if (colon == address.npos) return absl::OkStatus();
  const absl::string_view name = address.substr(colon + 1);
  // The name of a service, or the end of an IPv6 address in brackets.
  if (name.empty() || !std::all_of(name.begin(), name.end(), absl::ascii_isdigit)) {
    return absl::OkStatus();
  }
  int port = 0;
  if (absl::SimpleAtoi(name, &port) && port >= 1 && port <= kPortMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("there is no port ", name, " in ", address, ": ports are 1 to ", kPortMax));
}

}  // namespace bdcsync::cli
