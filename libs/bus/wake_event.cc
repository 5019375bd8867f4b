#include "libs/bus/wake_event.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace bdcsync::bus {

WakeEvent::WakeEvent() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) std::abort();  // Out of file descriptors at start: nothing could work.
}

WakeEvent::~WakeEvent() { ::close(fd_); }

void WakeEvent::Set() const {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the event is set.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

void WakeEvent::Clear() const {
  uint64_t count = 0;
  // Fails only when the event is not set.
  [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof count);
}

}  // namespace bdcsync::bus
