#include "services/gateway/pipeline/actor.h"

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kAppVersionBytesMax = 64;

// The beginning of `text` (UTF-8), at most `bytes_max` long, without cutting a character.
absl::string_view Beginning(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  constexpr unsigned char kContinuesMask = 0xc0;
  constexpr unsigned char kContinues = 0x80;
  while (bytes_max > 0 &&
         (static_cast<unsigned char>(text[bytes_max]) & kContinuesMask) == kContinues) {
    --bytes_max;
  }
  return text.substr(0, bytes_max);
}

}  // namespace

common::v1::Actor ActorOf(const Caller& caller) {
  common::v1::Actor actor;
  actor.set_user_id(caller.user_id);
  actor.set_device_id(caller.device_id);
  actor.set_session_id(caller.session_id);
  actor.set_app_version(std::string(Beginning(caller.client_version, kAppVersionBytesMax)));
  return actor;
}

}  // namespace bdcsync::gateway
