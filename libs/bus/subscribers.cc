#include "libs/bus/subscribers.h"

#include <algorithm>
#include <utility>

namespace bdcsync::bus {

Subscribers::Entry Subscribers::Add(absl::string_view channel, MessageCallback on_message,
                                    GapCallback on_gap) {
  auto entry = std::make_shared<Subscriber>();
  entry->channel = std::string(channel);
  entry->on_message = std::move(on_message);
  entry->on_gap = std::move(on_gap);
  absl::MutexLock lock(&mutex_);
  channels_[entry->channel].push_back(entry);
  return entry;
}

void Subscribers::Remove(const Entry& entry) {
  absl::MutexLock lock(&mutex_);
  entry->removed = true;
  if (const auto found = channels_.find(entry->channel); found != channels_.end()) {
    std::vector<Entry>& entries = found->second;
    entries.erase(std::remove(entries.begin(), entries.end(), entry), entries.end());
    if (entries.empty()) channels_.erase(found);
  }
  if (running_ != entry.get() || running_thread_ == std::this_thread::get_id()) return;
  const auto finished = [this, &entry]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return running_ != entry.get();
  };
  mutex_.Await(absl::Condition(&finished));
}

bool Subscribers::Has(absl::string_view channel) const {
  absl::MutexLock lock(&mutex_);
  return channels_.contains(channel);
}

std::vector<std::string> Subscribers::Channels() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> names;
  names.reserve(channels_.size());
  for (const auto& [channel, entries] : channels_) names.push_back(channel);
  return names;
}

bool Subscribers::Begin(const Entry& entry, bool activate) {
  absl::MutexLock lock(&mutex_);
  if (entry->removed || entry->active == activate) return false;
  entry->active = true;
  running_ = entry.get();
  running_thread_ = std::this_thread::get_id();
  return true;
}

void Subscribers::End() {
  absl::MutexLock lock(&mutex_);
  running_ = nullptr;
}

void Subscribers::Activate(absl::string_view channel) {
  std::vector<Entry> entries;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = channels_.find(channel);
    if (found == channels_.end()) return;
    for (const Entry& entry : found->second) {
      if (!entry->active) entries.push_back(entry);
    }
    gaps_ += entries.size();
  }
  for (const Entry& entry : entries) {
    if (!Begin(entry, /*activate=*/true)) continue;
    entry->on_gap();
    End();
  }
}

void Subscribers::Deliver(absl::string_view channel, absl::string_view payload) {
  std::vector<Entry> entries;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = channels_.find(channel);
    if (found == channels_.end()) return;
    entries = found->second;
    delivered_ += entries.size();
    delivered_bytes_ += entries.size() * payload.size();
  }
  for (const Entry& entry : entries) {
    if (!Begin(entry, /*activate=*/false)) continue;
    const bool read = entry->on_message(payload);
    End();
    if (read) continue;
    absl::MutexLock lock(&mutex_);
    ++unreadable_;
  }
}

void Subscribers::SuspendAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [channel, entries] : channels_) {
    for (const Entry& entry : entries) entry->active = false;
  }
}

void Subscribers::AddStats(BusStats& stats) const {
  absl::MutexLock lock(&mutex_);
  stats.delivered += delivered_;
  stats.delivered_bytes += delivered_bytes_;
  stats.unreadable += unreadable_;
  stats.gaps += gaps_;
  stats.channels += channels_.size();
}

}  // namespace bdcsync::bus
