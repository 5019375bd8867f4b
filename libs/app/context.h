// What a module is given by the process it runs in. Owned by app::Run, outlives every module.
// Accessors are thread-safe; what they return says so itself.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/app/http.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"
#include "libs/config/values.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"

namespace bdcsync::rpc {
class Channels;
class Server;
class WorkerPool;
}  // namespace bdcsync::rpc

namespace bdcsync::app {

class Context {
 public:
  virtual ~Context() = default;
  // The configuration at start. Keys that can change at run time: also use OnConfigChange.
  virtual const config::Values& config() const = 0;
  // Runs `callback` with the new values after every successful reload, on an unspecified thread.
  virtual void OnConfigChange(std::function<void(const config::Values&)> callback) = 0;

  virtual const Clock& clock() const = 0;
  virtual Random& random() = 0;
  virtual log::Logger& logger() = 0;
  virtual metrics::Registry& metrics() = 0;
  virtual bus::Bus& bus() = 0;
  // Register gRPC services here in Configure (libs/rpc/server.h).
  virtual rpc::Server& server() = 0;
  // Channels to the other services, usable from Start on (libs/rpc/channels.h).
  virtual rpc::Channels& channels() = 0;
  // For work that blocks (libs/rpc/worker_pool.h).
  virtual rpc::WorkerPool& workers() = 0;

  // Adds a check to /readyz: OK, or why `name` is not ready. Called often, must return at once.
  virtual void AddReadinessCheck(absl::string_view name, std::function<absl::Status()> check) = 0;
  // Serves `path` on the HTTP port, e.g. for an admin API. In Configure only.
  virtual void AddHttpRoute(absl::string_view method, absl::string_view path,
                            HttpHandler handler) = 0;
};

}  // namespace bdcsync::app
