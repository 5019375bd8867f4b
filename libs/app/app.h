// Modules at work in this process: gRPC server, HTTP listener, bus, workers and the Context that
// modules see. Run (libs/app/run.h) drives one from main; tests start one on free ports.
// Start, Drain and the destructor belong to one thread; the accessors are thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/app/context.h"
#include "libs/app/module.h"
#include "libs/config/schema.h"
#include "libs/config/values.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::app {

using Modules = std::vector<std::unique_ptr<Module>>;

// Modules in a vector, since an initialiser list cannot move.
template <typename... More>
Modules MakeModules(More... modules) {
  Modules list;
  (list.push_back(std::move(modules)), ...);
  return list;
}

// Every key that a process of these modules has.
config::Schema SchemaFor(const Modules& modules);
// What the process and its modules find wrong with the values before they are configured: one line
// for each that cannot start with them, INVALID_ARGUMENT. Warnings as of Module::CheckConfig.
absl::Status CheckConfig(const Modules& modules, const config::Values& values,
                         std::vector<std::string>& warnings);

// What tests and Run replace. Pointers are borrowed and must outlive the App; null: the machine's
// own.
struct Environment {
  const Clock* clock = nullptr;
  Random* random = nullptr;
  const log::Logger* logger = nullptr;
  // The process holds every service of the suite: those that only serve the others cannot be called
  // from outside.
  bool whole_suite = false;
  // Runs when every module was started or tried once, before the process says that it is ready.
  std::function<void()> before_ready;
  // Runs once the process is ready: within Start, or later on another thread.
  std::function<void()> on_ready;
  // Runs when a module that was tried again cannot be started at all: the process should end.
  std::function<void(const absl::Status&)> on_start_failed;
};

class App {
 public:
  // Configures all modules, listens, starts them in order. A module whose dependency is away is
  // tried again in the background (libs/app/starter.h): Readiness tells. On any other failure what
  // was started is drained again and the status names the module or the port and what to do.
  static absl::StatusOr<std::unique_ptr<App>> Start(Modules modules, config::Values values,
                                                    Environment environment = {});
  // Drains without patience if Drain was not called; destroys modules in reverse order.
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  Context& context();
  // Where it listens.
  int grpc_port() const;
  int http_port() const;
  // "127.0.0.1:<grpc port>".
  std::string grpc_address() const;
  // A channel to this process's gRPC services without a socket, until it is destroyed.
  std::shared_ptr<grpc::Channel> channel();
  // OK, or why not: one line for every check that fails.
  absl::Status Readiness() const;

  // The sources were read again: looks at files that may have been replaced, gives the keys that
  // can change to every OnConfigChange callback, and tells of those that cannot.
  //   INVALID_ARGUMENT  CheckConfig refuses them, or what they and the keys that cannot change make
  //                     together; nothing was applied.
  absl::StatusOr<config::Reload> Reload(const config::Values& loaded);
  // Not ready any more; drains modules in reverse order, then the gRPC server, then HTTP; returns
  // at `deadline` or soon after. Calling it again does nothing.
  void Drain(absl::Time deadline);

 private:
  class Host;
  explicit App(std::unique_ptr<Host> host);

  std::unique_ptr<Host> host_;
};

// A configuration for tests: defaults with ports 0, `data_dir` in `dir`, and `settings` on top.
absl::StatusOr<config::Values> TestValues(
    const Modules& modules, absl::string_view dir,
    const std::vector<std::pair<std::string, std::string>>& settings = {});

}  // namespace bdcsync::app
