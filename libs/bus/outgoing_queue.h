// Messages on their way out: bounded in number and bytes, the oldest give way to new ones.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/timed_cond_var.h"

namespace bdcsync::bus {

struct OutgoingMessage {
  std::string channel;
  std::string payload;
};

class OutgoingQueue {
 public:
  OutgoingQueue(std::size_t messages_max, std::size_t bytes_max)
      : messages_max_(messages_max), bytes_max_(bytes_max) {}

  // Adds a message. Too large a message for the whole queue is dropped itself.
  void Push(absl::string_view channel, std::string payload);

  // Waits until there is a message, Wake or Stop was called, or about `timeout` is over; then moves
  // the oldest messages to `batch`, at most so many and so many bytes, but at least one if there is
  // one. False once stopped.
  bool Take(std::size_t messages_max, std::size_t bytes_max, absl::Duration timeout,
            std::vector<OutgoingMessage>& batch);
  // Waits like Take and takes nothing. False once stopped.
  bool Await(absl::Duration timeout);
  // Waits for about `duration`. False as soon as the queue is stopped.
  bool Pause(absl::Duration duration);
  // Makes one Take return, if need be without a message.
  void Wake();
  // Makes every Take and Pause return false from now on.
  void Stop();

  // Whether a message was dropped since the last call.
  bool TakeOverflowed();
  std::size_t size() const;
  uint64_t dropped() const;

 private:
  const std::size_t messages_max_;
  const std::size_t bytes_max_;
  mutable absl::Mutex mutex_;
  TimedCondVar changed_;
  TimedCondVar stopping_;
  std::deque<OutgoingMessage> messages_ ABSL_GUARDED_BY(mutex_);
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync::bus
