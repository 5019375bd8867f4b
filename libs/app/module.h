// One service as a part of a process. The same module runs alone in its own binary and beside the
// others in bdc-sync; it cannot tell which. Methods are called one after the other, in the order
// below.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/schema.h"
#include "libs/config/values.h"

namespace bdcsync::app {

class Context;

// Where a service listens when the configuration does not say.
struct DefaultPorts {
  int grpc = 0;
  int http = 0;
};

class Module {
 public:
  virtual ~Module() = default;
  // As users type it, e.g. "event-store".
  virtual absl::string_view name() const = 0;
  virtual DefaultPorts default_ports() const = 0;
  // Adds the service's keys.
  virtual void DeclareConfig(config::Schema& schema) const = 0;
  // What the values alone tell, without a file or a connection. INVALID_ARGUMENT: the process
  // cannot start with them. What may be unwise is added to `warnings`, one sentence each, which are
  // logged at start. Also for --check-config, without Configure.
  virtual absl::Status CheckConfig(const config::Values& values,
                                   std::vector<std::string>& warnings) const {
    return absl::OkStatus();
  }
  // Builds the service and registers its gRPC services, metrics and readiness checks. Calls nobody.
  virtual absl::Status Configure(Context& context) = 0;
  // The gRPC server listens and every module is configured: dial others, migrate, begin to work.
  // Calls may arrive before it returns. UNAVAILABLE: a dependency is away, and the message names
  // it; Start is called again later, on another thread. Any other failure ends the process. A
  // module that never started is destroyed without Drain.
  virtual absl::Status Start(Context& context) = 0;
  // Takes no new work and returns when what is in flight is answered, or at `deadline` at the
  // latest.
  virtual void Drain(absl::Time deadline) = 0;
};

}  // namespace bdcsync::app
