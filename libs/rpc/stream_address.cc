#include "libs/rpc/stream_address.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace bdcsync::rpc {

std::optional<StreamAddress> ParseStreamAddress(const std::string& target) {
  absl::string_view rest = target;
  absl::ConsumePrefix(&rest, "dns:///");
  const auto colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = rest.substr(0, colon);
  const absl::string_view port = rest.substr(colon + 1);
  const bool ipv6 = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  uint32_t number = 0;
  if (!absl::SimpleAtoi(port, &number) || number == 0 || number > UINT16_MAX) return std::nullopt;
  if (host.empty() || (!ipv6 && host.find_first_of(":/[]") != absl::string_view::npos)) {
    return std::nullopt;
  }
  return StreamAddress{.host = std::string(host), .port = std::string(port)};
}

}  // namespace bdcsync::rpc
