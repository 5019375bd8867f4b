#include "libs/bus/open.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/bus/memory_bus.h"
#include "libs/bus/redis_bus.h"
#include "libs/bus/redis_url.h"

namespace bdcsync::bus {
namespace {

constexpr std::size_t kChannelPrefixMax = 64;

bool MayStandInPrefix(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._:/-", c);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bus>> OpenBus(absl::string_view url, BusOptions options) {
  RETURN_IF_ERROR(CheckChannelPrefix(options.channel_prefix));
  if (url == "memory:") return std::make_unique<MemoryBus>(options);
  ASSIGN_OR_RETURN(const std::vector<RedisAddress> nodes, ParseRedisUrls(url));
  return std::make_unique<RedisBus>(nodes, options);
}

absl::Status CheckBusUrl(absl::string_view url) {
  return url == "memory:" ? absl::OkStatus() : ParseRedisUrls(url).status();
}

absl::Status CheckChannelPrefix(absl::string_view prefix) {
  if (prefix.size() <= kChannelPrefixMax && absl::c_all_of(prefix, MayStandInPrefix)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("bus.channel_prefix: write up to ", kChannelPrefixMax,
                   " letters, digits and any of . _ : / - instead, for example staging:"));
}

}  // namespace bdcsync::bus
