#include "services/gateway/websocket/handshake.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::string_view kAnyHostBelow = "*.";

// The host of "scheme://host:port".
absl::string_view HostOf(absl::string_view origin) {
  const size_t scheme = origin.find("://");
  if (scheme != absl::string_view::npos) origin.remove_prefix(scheme + 3);
  return origin.substr(0, origin.find(':'));
}

bool Matches(absl::string_view origin, absl::string_view pattern) {
  if (absl::StartsWith(pattern, kAnyHostBelow)) {
    return absl::EndsWithIgnoreCase(HostOf(origin), pattern.substr(1));
  }
  return absl::EqualsIgnoreCase(origin, pattern);
}

// RFC 9110, 5.6.2: what may be the name of a subprotocol.
bool IsToken(absl::string_view name) {
  return !name.empty() && absl::c_all_of(name, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

}  // namespace

SubprotocolChoice ChooseSubprotocol(absl::string_view offered) {
  SubprotocolChoice choice;
  if (offered.empty()) return choice;
  choice.supported = false;
  for (absl::string_view name : absl::StrSplit(offered, ',')) {
    name = absl::StripAsciiWhitespace(name);
    if (name == kJsonSubprotocol || name == kProtoSubprotocol) {
      const WireFormat format = name == kProtoSubprotocol ? WireFormat::kProto : WireFormat::kJson;
      return {.supported = true, .answer = std::string(name), .format = format};
    }
    if (choice.answer.empty() && IsToken(name)) choice.answer = std::string(name);
  }
  return choice;
}

bool OriginAllowed(absl::string_view origin, const std::vector<std::string>& allowed) {
  if (allowed.empty() || origin.empty()) return true;
  for (const std::string& pattern : allowed) {
    if (Matches(origin, pattern)) return true;
  }
  return false;
}

std::string RefusalResponse(int status, absl::string_view phrase, absl::string_view explanation) {
  return absl::StrCat(
      "HTTP/1.1 ", status, " ", phrase, "\r\nContent-Type: text/plain\r\nConnection: close\r\n",
      status == 426 ? "Upgrade: websocket\r\n" : "", status == 503 ? "Retry-After: 5\r\n" : "",
      "Content-Length: ", explanation.size() + 1, "\r\n\r\n", explanation, "\n");
}

}  // namespace bdcsync::gateway
