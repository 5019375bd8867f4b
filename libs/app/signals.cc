#include "libs/app/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace bdcsync::app {
namespace {

enum class Phase { kStarting, kServing, kStopping };

std::atomic<Phase> phase{Phase::kStarting};
static_assert(std::atomic<Phase>::is_always_lock_free, "read in a signal handler");
int pipe_ends[2] = {-1, -1};  // The handler writes a byte, AwaitSignal reads it.

constexpr char kEventBytes[] = {'s', 'r', 'y', 'f'};  // By SignalEvent.

void WriteByte(SignalEvent event) {
  // A full pipe holds enough events already.
  [[maybe_unused]] const ssize_t written =
      write(pipe_ends[1], &kEventBytes[static_cast<int>(event)], 1);
}

void Handle(int number) {
  const int saved = errno;
  const bool stop = number == SIGTERM || number == SIGINT;
  if (stop) {
    if (phase.load() == Phase::kStarting) _exit(0);
    if (phase.load() == Phase::kStopping) _exit(1);
    phase.store(Phase::kStopping);
  }
  WriteByte(stop ? SignalEvent::kStop : SignalEvent::kReload);
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

void Raise(SignalEvent event) { WriteByte(event); }

SignalEvent AwaitSignal() {
  while (true) {
    pollfd waiting{pipe_ends[0], POLLIN, 0};
    if (poll(&waiting, 1, -1) < 0) continue;  // Interrupted by the handler: the byte is there next.
    char byte = 0;
    if (read(pipe_ends[0], &byte, 1) != 1) continue;
    return static_cast<SignalEvent>(
        std::find(std::begin(kEventBytes), std::end(kEventBytes), byte) - std::begin(kEventBytes));
  }
}

}  // namespace bdcsync::app
