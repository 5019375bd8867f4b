// The whole of a main: configuration, modules, signals, exit status.
//   SIGTERM, SIGINT   drain in reverse order within shutdown.drain_timeout, exit 0; again: exit at
//   once SIGHUP            read the configuration again and apply what can change at run time exit
//   status       0 stopped cleanly, 1 could not start, 2 the configuration is wrong
// Called once, on the main thread, before any other thread is started.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "libs/app/app.h"
#include "libs/app/module.h"

namespace bdcsync::app {

struct RunOptions {
  // Runs once the process is ready, e.g. to greet the person who started it.
  std::function<void(App&)> on_ready;
};

int RunModules(int argc, char** argv, Modules modules, RunOptions options = {});

// app::Run(argc, argv, event_store::MakeModule(), version::MakeModule())
template <typename... More>
int Run(int argc, char** argv, std::unique_ptr<Module> first, More... more) {
  return RunModules(argc, argv, MakeModules(std::move(first), std::move(more)...));
}

}  // namespace bdcsync::app
