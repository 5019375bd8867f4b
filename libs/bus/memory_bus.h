// The bus of a single process. Delivers on one thread of its own, so that a publisher never runs a
// subscriber's code. When its queue overflows, all its subscribers are told of a gap. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/bus/bus.h"
#include "libs/bus/open.h"
#include "libs/bus/outgoing_queue.h"
#include "libs/bus/subscribers.h"

namespace bdcsync::bus {

class MemoryBus final : public Bus {
 public:
  explicit MemoryBus(const BusOptions& options);
  ~MemoryBus() override;

  void Publish(absl::string_view channel, std::string payload) override;
  std::unique_ptr<Subscription> Subscribe(absl::string_view channel, MessageCallback on_message,
                                          GapCallback on_gap) override;
  absl::Status Health() const override { return absl::OkStatus(); }
  BusStats Stats() const override;

 private:
  void Run();
  void ActivateNew();

  const std::size_t batch_messages_max_;
  const std::size_t batch_bytes_max_;
  OutgoingQueue queue_;
  Subscribers subscribers_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> new_channels_ ABSL_GUARDED_BY(mutex_);
  uint64_t published_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t published_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace bdcsync::bus
