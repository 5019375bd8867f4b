// Lets any thread end another thread's wait for a socket. Thread-safe.
#pragma once

namespace bdcsync::bus {

class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  // Makes `fd` readable until Clear.
  void Set() const;
  void Clear() const;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace bdcsync::bus
