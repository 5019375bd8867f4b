#include "libs/bus/outgoing_queue.h"

#include <utility>

namespace bdcsync::bus {

void OutgoingQueue::Push(absl::string_view channel, std::string payload) {
  OutgoingMessage message{std::string(channel), std::move(payload)};
  {
    absl::MutexLock lock(&mutex_);
    bytes_ += message.payload.size();
    messages_.push_back(std::move(message));
    while (messages_.size() > messages_max_ || bytes_ > bytes_max_) {
      bytes_ -= messages_.front().payload.size();
      messages_.pop_front();
      ++dropped_;
      overflowed_ = true;
      woken_ = true;
    }
  }
  changed_.Signal();  // Without the lock, for which who wakes up would have to sleep again.
}

bool OutgoingQueue::Await(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (messages_.empty() && !woken_ && !stopped_) changed_.WaitFor(mutex_, timeout);
  return !stopped_;
}

bool OutgoingQueue::Take(std::size_t messages_max, std::size_t bytes_max, absl::Duration timeout,
                         std::vector<OutgoingMessage>& batch) {
  batch.clear();
  absl::MutexLock lock(&mutex_);
  if (messages_.empty() && !woken_ && !stopped_) changed_.WaitFor(mutex_, timeout);
  woken_ = false;
  if (stopped_) return false;
  std::size_t bytes = 0;
  while (!messages_.empty() && batch.size() < messages_max) {
    const std::size_t size = messages_.front().payload.size();
    if (!batch.empty() && bytes + size > bytes_max) break;
    bytes += size;
    bytes_ -= size;
    batch.push_back(std::move(messages_.front()));
    messages_.pop_front();
  }
  return true;
}

bool OutgoingQueue::Pause(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  if (!stopped_) stopping_.WaitFor(mutex_, duration);
  return !stopped_;
}

void OutgoingQueue::Wake() {
  {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }
  changed_.Signal();
}

void OutgoingQueue::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  changed_.SignalAll();
  stopping_.SignalAll();
}

bool OutgoingQueue::TakeOverflowed() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(overflowed_, false);
}

std::size_t OutgoingQueue::size() const {
  absl::MutexLock lock(&mutex_);
  return messages_.size();
}

uint64_t OutgoingQueue::dropped() const {
  absl::MutexLock lock(&mutex_);
  return dropped_;
}

}  // namespace bdcsync::bus
