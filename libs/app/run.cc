#include "libs/app/run.h"

#include <sys/stat.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "libs/app/config.h"
#include "libs/app/last_resort.h"
#include "libs/app/open_files.h"
#include "libs/app/openssl_exit.h"
#include "libs/app/signals.h"
#include "libs/base/status.h"
#include "libs/base/suite_version.h"
#include "libs/config/loader.h"
#include "libs/rpc/one_poller.h"

namespace bdcsync::app {
namespace {

constexpr int kExitStopped = 0;
constexpr int kExitCannotStart = 1;  // Or not stop.
constexpr int kExitBadConfig = 2;
// Files and folders that are made hold people's data: they are the owner's alone.
constexpr mode_t kWithheld = S_IRWXG | S_IRWXO;

std::string ProgramName(int argc, char** argv) {
  const std::string path = argc > 0 ? argv[0] : "bdc-sync";
  return path.substr(path.rfind('/') + 1);
}

// False when not all of it was written.
bool Print(std::FILE* stream, const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  return std::fflush(stream) == 0 && written;
}

void PrintBadConfig(const std::string& program, const absl::Status& status) {
  const std::string lines = absl::StrReplaceAll(status.message(), {{"\n", "\n  "}});
  Print(stderr, absl::StrCat(program, ": the configuration is wrong:\n  ", lines,
                             "\nTry --help, or --print-config-docs for all keys.\n"));
}

// What --help, --check-config and their like show.
std::string Answer(const config::Schema& schema, const config::Loaded& loaded,
                   const std::string& program) {
  switch (loaded.action) {
    case config::Action::kHelp:
      return config::PrintHelp(schema, program);
    case config::Action::kCheckConfig:
      return "the configuration is good\n";
    case config::Action::kPrintConfig:
      return absl::StrCat(config::PrintYaml(schema, loaded.values),
                          config::PrintPassedOver(loaded.passed_over));
    case config::Action::kPrintConfigDocs:
      return config::PrintDocs(schema);
    case config::Action::kVersion:
      return absl::StrCat(program, " ", kSuiteVersion, "\n");
    case config::Action::kRun:
      break;
  }
  return "";
}

// Does what --help, --check-config and their like ask for, and returns the exit status.
int AnswerAndStop(const config::Schema& schema, const config::Loaded& loaded,
                  const Modules& modules, const std::string& program) {
  if (loaded.action == config::Action::kCheckConfig) {
    std::vector<std::string> warnings;
    const absl::Status checked = CheckConfig(modules, loaded.values, warnings);
    for (const std::string& warning : warnings) {
      Print(stderr, absl::StrCat(program, ": warning: ", warning, "\n"));
    }
    if (!checked.ok()) {
      PrintBadConfig(program, checked);
      return kExitBadConfig;
    }
  }
  if (Print(stdout, Answer(schema, loaded, program))) return kExitStopped;
  Print(stderr, absl::StrCat(program, ": standard output could not be written\n"));
  return kExitCannotStart;
}

absl::StatusOr<config::Reload> LoadAgain(const config::Schema& schema,
                                         const config::Sources& sources, App& app) {
  ASSIGN_OR_RETURN(const config::Loaded loaded, config::Load(schema, sources));
  return app.Reload(loaded.values);
}

// Reads all sources again and applies what can change; on a mistake everything stays as it is.
void ReloadConfig(const config::Schema& schema, const config::Sources& sources, App& app) {
  const log::Logger& logger = app.context().logger();
  const absl::StatusOr<config::Reload> reload = LoadAgain(schema, sources, app);
  if (!reload.ok()) {
    logger.Error("the changed configuration is wrong; nothing was applied",
                 {{"mistakes", reload.status().message()}});
    return;
  }
  logger.Info("the configuration was read again",
              {{"changed", absl::StrJoin(reload->changed, ",")}});
  if (!reload->unapplied.empty()) {
    logger.Warn("some changed keys need a restart",
                {{"keys", absl::StrJoin(reload->unapplied, ",")}});
  }
}

// What went wrong after the process had begun to run; OK until then.
class StartFailure {
 public:
  void Set(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    status_ = status;
  }
  absl::Status Get() const {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

int CannotStart(const std::string& program, const absl::Status& status) {
  Print(stderr, absl::StrCat(program, ": cannot start: ", status.message(), "\n"));
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitBadConfig : kExitCannotStart;
}

// Handles events until the process has to end.
void ServeUntilStopped(const config::Schema& schema, const config::Sources& sources,
                       const config::Values& values, const RunOptions& options, App& app) {
  while (true) {
    switch (AwaitSignal()) {
      case SignalEvent::kReload:
        ReloadConfig(schema, sources, app);
        break;
      case SignalEvent::kReady:
        app.context().logger().Info("ready", {{"grpc_port", app.grpc_port()},
                                              {"http_port", app.http_port()},
                                              {"listen_address", values.Get(kListenAddress)}});
        if (options.on_ready) options.on_ready(app);
        break;
      case SignalEvent::kStop:
      case SignalEvent::kFailed:
        return;
    }
  }
}

void Stop(absl::Duration timeout, App& app) {
  const log::Logger& logger = app.context().logger();
  logger.Info("stopping", {{"drain_timeout", absl::FormatDuration(timeout)}});
  const SystemClock clock;
  const absl::Duration began = clock.Monotonic();
  app.Drain(clock.Now() + timeout);
  logger.Info("stopped", {{"seconds", absl::ToDoubleSeconds(clock.Monotonic() - began)}});
  logger.Flush();
}

}  // namespace

int RunModules(int argc, char** argv, Modules modules, RunOptions options) {
  KeepOpenSslAtExit();
  const std::string program = options.program.empty() ? ProgramName(argc, argv) : options.program;
  const config::Schema schema = SchemaFor(modules);
  const config::Sources sources = config::ProcessSources(argc, argv);
  absl::StatusOr<config::Loaded> loaded = config::Load(schema, sources);
  if (!loaded.ok()) {
    PrintBadConfig(program, loaded.status());
    return kExitBadConfig;
  }
  if (loaded->action != config::Action::kRun) {
    return AnswerAndStop(schema, *loaded, modules, program);
  }

  // Debian builds Abseil with lock-order checks that cost every Lock; ThreadSanitizer checks ours.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseOpenFilesLimit();
  ::umask(kWithheld);
  CatchSignals();
  StartFailure failure;
  Environment environment;
  environment.whole_suite = options.whole_suite;
  environment.before_ready = BeginServing;
  environment.on_ready = [] { Raise(SignalEvent::kReady); };
  environment.on_start_failed = [&failure](const absl::Status& status) {
    failure.Set(status);
    Raise(SignalEvent::kFailed);
  };
  std::optional<LastResort> last_resort;  // Until all else has ended.
  absl::StatusOr<std::unique_ptr<App>> app =
      App::Start(std::move(modules), loaded->values, environment);
  if (!app.ok()) return CannotStart(program, app.status());
  const rpc::OnePoller one_poller;
  ServeUntilStopped(schema, sources, loaded->values, options, **app);
  const absl::Duration drain_timeout = loaded->values.Get(kDrainTimeout);
  last_resort.emplace(drain_timeout + options.end_max, kExitCannotStart,
                      (*app)->context().logger());
  Stop(drain_timeout, **app);
  return failure.Get().ok() ? kExitStopped : CannotStart(program, failure.Get());
}

}  // namespace bdcsync::app
