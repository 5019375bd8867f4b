// Leaves one thread to poll the connections of this process, where gRPC 1.51 has two at least.
// There, whoever gets an event first wakes the other to watch in its place: on a few cores these
// wake-ups are most of what a call costs. A thread that sees nothing for a second also sleeps for a
// tenth of one, whatever arrives meanwhile; here it is given something to see in time.
// Callbacks of gRPC run one after the other then, so the rule that they never block holds doubly.
#pragma once

#include <memory>

namespace bdcsync::rpc {

class OnePoller {
 public:
  // From now on, until destruction. Does nothing on a machine with so many cores that gRPC starts
  // more than two threads: it needs them. One object at a time in a process.
  OnePoller();
  // Servers and channels of the process must still be there.
  ~OnePoller();
  OnePoller(const OnePoller&) = delete;
  OnePoller& operator=(const OnePoller&) = delete;

  bool active() const { return held_ != nullptr; }

 private:
  class Held;
  std::unique_ptr<Held> held_;
};

}  // namespace bdcsync::rpc
