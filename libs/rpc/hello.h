// Finds out when a peer that hangs is back (stream_pool.h): it connects and waits until the peer's
// loop answers the greeting, which the kernel of a process that hangs cannot do; a process that
// goes on does at once. A peer that has died meanwhile is back as well: calls then tell that at
// once. For .cc files of libs/rpc only. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/framed_socket.h"

namespace bdcsync::rpc {

class Hello final : public FrameReceiver, public std::enable_shared_from_this<Hello> {
 public:
  using Connect = std::function<std::shared_ptr<FramedSocket>(std::shared_ptr<FrameReceiver>)>;

  // `ended` runs once: the peer is back, or this was closed. Who does not answer at once counts as
  // back after `rest` pulses at the earliest; who does, does: there is another one behind the name.
  Hello(int rest, Connect connect, std::function<void()> ended);

  // Once.
  void Begin();
  void Close();

  void OnFrame(FrameKind kind, absl::string_view payload) override;
  void OnTooLarge(FrameKind kind) override {}
  void OnPulse(bool greeted, bool stirred) override;
  void OnEnd(const absl::Status& status) override;

 private:
  void Dial() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnLife() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Connect connect_;
  const std::function<void()> ended_;
  absl::Mutex mutex_;
  int rest_ ABSL_GUARDED_BY(mutex_);
  int pulses_ ABSL_GUARDED_BY(mutex_) = 0;  // Of this connection.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<FramedSocket> socket_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
