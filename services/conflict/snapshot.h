// A value that is replaced as a whole while others read it. Readers take no lock and wait for
// nobody; a writer waits for readers that are just copying a pointer. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::conflict {

template <typename T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value) { slots_[0].value = std::move(value); }

  std::shared_ptr<const T> Get() const {
    while (true) {
      const int slot = current_.load();
      Reading reading(slots_[slot].readers);
      // The slot is written only while the other is current and nobody reads it.
      if (current_.load() == slot) return slots_[slot].value;
    }
  }

  void Set(std::shared_ptr<const T> value) {
    absl::MutexLock lock(&writing_);
    const int next = 1 - current_.load();
    while (slots_[next].readers.load() > 0) std::this_thread::yield();
    std::swap(slots_[next].value, value);
    current_.store(next);
  }

 private:
  struct Slot {
    std::shared_ptr<const T> value;  // Shared with those who still use it.
    mutable std::atomic<int> readers{0};
  };
  class Reading {
   public:
    explicit Reading(std::atomic<int>& readers) : readers_(readers) { ++readers_; }
    ~Reading() { --readers_; }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    std::atomic<int>& readers_;
  };

  absl::Mutex writing_;
  Slot slots_[2];
  std::atomic<int> current_{0};
};

}  // namespace bdcsync::conflict
