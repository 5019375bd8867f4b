// Calls that somebody can give up before they are answered.
#pragma once

namespace bdcsync::rpc {

class OngoingCall {
 public:
  // Asks to end the call soon, with CANCELLED, unless its answer is faster. Never answers on this
  // stack. Thread-safe.
  virtual void TryCancel() = 0;

 protected:
  ~OngoingCall() = default;
};

// Told of calls that may be given up. Called from any thread.
class CallTracker {
 public:
  // Before the call starts. False: it must not; End is not called then.
  virtual bool Begin(OngoingCall& call) = 0;
  // After its answer was handled; from here on `call` is gone.
  virtual void End(OngoingCall& call) = 0;

 protected:
  ~CallTracker() = default;
};

}  // namespace bdcsync::rpc
