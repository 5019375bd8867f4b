// The whole of a main: configuration, modules, signals, exit status.
// SIGTERM and SIGINT drain in reverse order within shutdown.drain_timeout; a second one, or a stop
// that takes much longer, ends the process at once. SIGHUP reads the configuration again and
// applies what can change at run time. While a dependency is away the process runs, unready, and
// goes on trying to start. Exit status: 0 after a clean stop, 1 if it could not start or stop, 2 if
// the configuration is wrong. Called once, on the main thread, before any other thread is started.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "libs/app/app.h"
#include "libs/app/module.h"

namespace bdcsync::app {

struct RunOptions {
  bool whole_suite = false;  // As in Environment.
  std::string program;       // As usage and errors call it; empty: the name of the file.
  // What a stop may take beyond shutdown.drain_timeout: threads of every module end after it. Not a
  // key: only what hangs takes so long, and whoever runs the process has a patience of its own with
  // it, as Kubernetes has terminationGracePeriodSeconds.
  absl::Duration end_max = absl::Seconds(10);
  // Runs once the process is ready, on the main thread, e.g. to greet the person who started it.
  std::function<void(App&)> on_ready;
};

int RunModules(int argc, char** argv, Modules modules, RunOptions options = {});

// app::Run(argc, argv, event_store::MakeModule(), version::MakeModule())
template <typename... More>
int Run(int argc, char** argv, std::unique_ptr<Module> first, More... more) {
  return RunModules(argc, argv, MakeModules(std::move(first), std::move(more)...));
}

}  // namespace bdcsync::app
