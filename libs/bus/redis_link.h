// What a publisher and a subscriber of one node have in common: options and the state of their
// connection, told to whoever asks for health. Thread-safe.
#pragma once

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "libs/bus/open.h"

namespace bdcsync::bus {

class LinkState {
 public:
  explicit LinkState(const BusOptions& options) : on_change_(options.on_connection_change) {}

  // A connection was made and works.
  void SetConnected();
  // All is well, or why not. Tells the listener when this changes.
  void Set(const absl::Status& status);
  absl::Status Get() const;
  // Connections made after the first.
  uint64_t reconnects() const;

 private:
  const std::function<void(const absl::Status&)> on_change_;
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("not yet connected");
  bool told_ ABSL_GUARDED_BY(mutex_) = false;  // Whether the listener knows of a status.
  uint64_t connects_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Keeps a dead connection from ending the process: hiredis writes without MSG_NOSIGNAL. For the
// calling thread.
void BlockSigpipe();

}  // namespace bdcsync::bus
