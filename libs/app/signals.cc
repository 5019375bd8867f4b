#include "libs/app/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace bdcsync::app {
namespace {

enum class Phase { kStarting, kServing, kStopping };

std::atomic<Phase> phase{Phase::kStarting};
static_assert(std::atomic<Phase>::is_always_lock_free, "read in a signal handler");
int pipe_ends[2] = {-1, -1};  // The handler writes a byte, AwaitSignal reads it.

constexpr char kStopByte = 's';
constexpr char kReloadByte = 'r';

void Handle(int number) {
  const int saved = errno;
  const bool stop = number == SIGTERM || number == SIGINT;
  if (stop) {
    if (phase.load() == Phase::kStarting) _exit(0);
    if (phase.load() == Phase::kStopping) _exit(1);
    phase.store(Phase::kStopping);
  }
  const char byte = stop ? kStopByte : kReloadByte;
  // A full pipe holds enough reloads already.
  [[maybe_unused]] const ssize_t written = write(pipe_ends[1], &byte, 1);
  errno = saved;
}

}  // namespace

void CatchSignals() {
  if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    std::perror("pipe2");
    std::abort();
  }
  struct sigaction action {};
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

void BeginServing() { phase.store(Phase::kServing); }

SignalEvent AwaitSignal() {
  while (true) {
    pollfd waiting{pipe_ends[0], POLLIN, 0};
    if (poll(&waiting, 1, -1) < 0) continue;  // Interrupted by the handler: the byte is there next.
    char byte = 0;
    if (read(pipe_ends[0], &byte, 1) != 1) continue;
    return byte == kStopByte ? SignalEvent::kStop : SignalEvent::kReload;
  }
}

}  // namespace bdcsync::app
