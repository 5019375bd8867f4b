// What a module is given by the process it runs in. Owned by app::Run, outlives every module.
// Accessors are thread-safe; what they return says so itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

class TlsFiles;

class Context {
 public:
  virtual ~Context() = default;
  // The configuration at start. Keys that can change at run time: also use OnConfigChange.
  virtual const config::Values& config() const = 0;
  // Runs `callback` with the new values after every change at run time, on an unspecified thread.
  virtual void OnConfigChange(std::function<void(const config::Values&)> callback) = 0;

  // Changes keys at run time, in this process and in all others of the suite, as live_config.h
  // says.
  virtual absl::StatusOr<std::map<std::string, std::string>> ChangeConfig(
      const std::map<std::string, std::string>& changes) = 0;

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
  // Lets `files` be replaced while the process runs: reloads them on an interval and on SIGHUP, and
  // tells when they expire. `listener`, e.g. "websocket", is a label: call it once for each.
  // `files` is borrowed until the module is destroyed or the process drained, whichever is later.
  virtual void WatchTls(absl::string_view listener, TlsFiles& files) = 0;
  // Serves `path` on the HTTP port, e.g. for an admin API. In Configure only.
  virtual void AddHttpRoute(absl::string_view method, absl::string_view path,
                            HttpHandler handler) = 0;
};

}  // namespace bdcsync::app
