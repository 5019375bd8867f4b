// What a subscriber heard, for tests: messages and gaps in order, and waiting for them.
// Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/bus/bus.h"

namespace bdcsync::bus {

class Recorder {
 public:
  static constexpr absl::Duration kPatience = absl::Seconds(30);

  // Listens to `channel` through this recorder, which must outlive the subscription.
  std::unique_ptr<Subscription> Listen(Bus& bus, absl::string_view channel) {
    return bus.Subscribe(
        channel,
        [this](absl::string_view payload) {
          absl::MutexLock lock(&mutex_);
          messages_.emplace_back(payload);
          return true;
        },
        [this] {
          absl::MutexLock lock(&mutex_);
          ++gaps_;
        });
  }
  // Whether so many messages, or gaps, were heard before patience ran out.
  bool AwaitMessages(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return messages_.size() >= count;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
  }
  bool AwaitGaps(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return gaps_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
  }
  // Whether `message` was heard last before patience ran out.
  bool AwaitLast(absl::string_view message) {
    absl::MutexLock lock(&mutex_);
    const auto heard = [this, message]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !messages_.empty() && messages_.back() == message;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&heard), kPatience);
  }
  std::vector<std::string> messages() const {
    absl::MutexLock lock(&mutex_);
    return messages_;
  }
  std::size_t gaps() const {
    absl::MutexLock lock(&mutex_);
    return gaps_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> messages_ ABSL_GUARDED_BY(mutex_);
  std::size_t gaps_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::bus
