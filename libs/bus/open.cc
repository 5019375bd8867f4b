#include "libs/bus/open.h"

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/bus/memory_bus.h"

namespace bdcsync::bus {

absl::StatusOr<std::unique_ptr<Bus>> OpenBus(absl::string_view url, BusOptions options) {
  if (url == "memory:") return std::make_unique<MemoryBus>(options);
  return MakeError(Reason::kInvalidArgument,
                   absl::StrCat("bus.url: expected memory: or redis://host:port, got ", url));
}

}  // namespace bdcsync::bus
