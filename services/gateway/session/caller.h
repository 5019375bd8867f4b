// Who asks, and what they may touch: the outcome of authentication, carried by every request of a
// session or gRPC call. Immutable once made (a refresh makes a new one), hence thread-safe.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bdcsync::gateway {

enum class Access { kNone, kRead, kWrite };

struct Caller {
  std::string user_id;
  std::string device_id;   // Empty for services without one.
  std::string session_id;  // Empty over gRPC.
  std::string client_name;
  std::string client_version;
  std::string client_platform;
  bool admin = false;
  // Shared spaces by name. The caller's own space is not listed.
  absl::flat_hash_map<std::string, Access> spaces;
  // absl::InfiniteFuture() where no token is required.
  absl::Time token_expires = absl::InfiniteFuture();
};

// The space of the caller alone: "user:<user_id>".
std::string OwnSpace(const Caller& caller);
// What the caller may do in `space`: write in their own, anything as admin, else what the token
// says.
Access AccessTo(const Caller& caller, absl::string_view space);

}  // namespace bdcsync::gateway
