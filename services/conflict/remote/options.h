// What the configuration says about remote resolvers. Thread-safe: functions only.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "libs/config/values.h"
#include "services/conflict/remote/resolver_line.h"

namespace bdcsync::conflict {

// A resolver's name has at most so many letters, digits, '_' and '-'.
inline constexpr std::size_t kResolverNameBytesMax = 64;
// More resolvers are refused: each has a connection and metrics of its own.
inline constexpr std::size_t kResolversMax = 64;

struct ResolverOptions {
  std::string address;
  LineOptions line;
};

// By name. INVALID_ARGUMENT names the key and the resolver at fault: a malformed name, an address
// that is empty, a deadline or size that is none, or one for a resolver that is not in the list.
absl::StatusOr<std::map<std::string, ResolverOptions>> ResolverOptionsFrom(
    const config::Values& values);

}  // namespace bdcsync::conflict
