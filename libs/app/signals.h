// What the main thread waits for: signals of the operating system, and what other threads raise.
// There is one set of signal handlers in a process, hence free functions: use them from Run only.
#pragma once

namespace bdcsync::app {

enum class SignalEvent { kStop, kReload, kReady, kFailed };

// Takes over SIGTERM, SIGINT and SIGHUP, and ignores SIGPIPE. Until BeginServing, a stop signal
// ends the process at once with status 0: nothing was served yet.
void CatchSignals();
// From now on a stop signal is an event.
void BeginServing();
// Makes AwaitSignal return `event`; on any thread, after CatchSignals.
void Raise(SignalEvent event);
// Waits for the next event. After kStop, another stop signal ends the process at once with
// status 1.
SignalEvent AwaitSignal();

}  // namespace bdcsync::app
