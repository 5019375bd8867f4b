#include "libs/bus/memory_bus.h"

#include <utility>
#include <vector>

namespace bdcsync::bus {
namespace {

class MemorySubscription final : public Subscription {
 public:
  MemorySubscription(Subscribers& subscribers, Subscribers::Entry entry)
      : subscribers_(subscribers), entry_(std::move(entry)) {}
  ~MemorySubscription() override { subscribers_.Remove(entry_); }

 private:
  Subscribers& subscribers_;
  const Subscribers::Entry entry_;
};

}  // namespace

MemoryBus::MemoryBus(const BusOptions& options)
    : batch_messages_max_(options.batch_messages_max),
      batch_bytes_max_(options.batch_bytes_max),
      queue_(options.queued_messages_max, options.queued_bytes_max),
      thread_([this] { Run(); }) {}

MemoryBus::~MemoryBus() {
  queue_.Stop();
  thread_.join();
}

void MemoryBus::Publish(absl::string_view channel, std::string payload) {
  queue_.Push(channel, std::move(payload));
}

std::unique_ptr<Subscription> MemoryBus::Subscribe(absl::string_view channel,
                                                   MessageCallback on_message, GapCallback on_gap) {
  auto entry = subscribers_.Add(channel, std::move(on_message), std::move(on_gap));
  {
    absl::MutexLock lock(&mutex_);
    new_channels_.emplace_back(channel);
  }
  queue_.Wake();
  return std::make_unique<MemorySubscription>(subscribers_, std::move(entry));
}

void MemoryBus::ActivateNew() {
  std::vector<std::string> channels;
  {
    absl::MutexLock lock(&mutex_);
    channels.swap(new_channels_);
  }
  if (queue_.TakeOverflowed()) {
    subscribers_.SuspendAll();
    channels = subscribers_.Channels();
  }
  for (const std::string& channel : channels) subscribers_.Activate(channel);
}

void MemoryBus::Run() {
  std::vector<OutgoingMessage> batch;
  while (queue_.Take(batch_messages_max_, batch_bytes_max_, absl::InfiniteDuration(), batch)) {
    ActivateNew();
    uint64_t bytes = 0;
    for (const OutgoingMessage& message : batch) {
      bytes += message.payload.size();
      subscribers_.Deliver(message.channel, message.payload);
    }
    absl::MutexLock lock(&mutex_);
    published_ += batch.size();
    published_bytes_ += bytes;
    writes_ += batch.empty() ? 0 : 1;
  }
}

BusStats MemoryBus::Stats() const {
  BusStats stats;
  {
    absl::MutexLock lock(&mutex_);
    stats.published = published_;
    stats.published_bytes = published_bytes_;
    stats.writes = writes_;
  }
  stats.publish_dropped = queue_.dropped();
  stats.queued = queue_.size();
  subscribers_.AddStats(stats);
  return stats;
}

}  // namespace bdcsync::bus
