#include "libs/bus/open.h"

#include <vector>

#include "libs/base/status.h"
#include "libs/bus/memory_bus.h"
#include "libs/bus/redis_bus.h"
#include "libs/bus/redis_url.h"

namespace bdcsync::bus {

absl::StatusOr<std::unique_ptr<Bus>> OpenBus(absl::string_view url, BusOptions options) {
  if (url == "memory:") return std::make_unique<MemoryBus>(options);
  ASSIGN_OR_RETURN(const std::vector<RedisAddress> nodes, ParseRedisUrls(url));
  return std::make_unique<RedisBus>(nodes, options);
}

absl::Status CheckBusUrl(absl::string_view url) {
  return url == "memory:" ? absl::OkStatus() : ParseRedisUrls(url).status();
}

}  // namespace bdcsync::bus
