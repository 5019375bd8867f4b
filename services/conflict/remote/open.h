// The resolvers of the configuration, ready to be asked. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/config/values.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "services/conflict/remote/resolver_registry.h"

namespace bdcsync::conflict {

class Resolvers {
 public:
  virtual ~Resolvers() = default;
  virtual ResolverRegistry& registry() = 0;
};

// All are borrowed and must outlive the resolvers.
struct ResolverTools {
  const Clock& clock;
  Random& random;
  const log::Logger& logger;
  metrics::Registry& metrics;
};

// Connects to nobody yet. INVALID_ARGUMENT: the configuration, or a TLS file, is wrong.
absl::StatusOr<std::unique_ptr<Resolvers>> OpenResolvers(const config::Values& values,
                                                         const ResolverTools& tools);

}  // namespace bdcsync::conflict
