#include "services/event-store/commit_feed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

std::string ChannelOfSpace(absl::string_view space) { return absl::StrCat("bdc:space:", space); }

CommitFeed::Listener::~Listener() {
  subscription_.reset();  // No wake from the bus from here on.
  feed_.Remove(this);
}

std::unique_ptr<CommitFeed::Listener> CommitFeed::Listen(FeedScope scope,
                                                         std::function<void()> wake) {
  std::unique_ptr<Listener> listener(new Listener(*this, std::move(scope), std::move(wake)));
  const FeedScope& followed = listener->scope_;
  {
    absl::MutexLock lock(&mutex_);
    if (followed.space.empty()) {
      by_log_[followed.log_id].insert(listener.get());
    } else {
      by_space_[followed.space].insert(listener.get());
    }
  }
  if (!followed.space.empty()) {
    Listener* const borrowed = listener.get();
    listener->subscription_ = bus_.Subscribe(
        ChannelOfSpace(followed.space),
        [borrowed](absl::string_view) {
          borrowed->wake_();
          return true;
        },
        [borrowed] { borrowed->wake_(); });
  }
  return listener;
}

void CommitFeed::Remove(Listener* listener) {
  absl::MutexLock lock(&mutex_);
  const FeedScope& scope = listener->scope_;
  if (scope.space.empty()) {
    const auto log = by_log_.find(scope.log_id);
    log->second.erase(listener);
    if (log->second.empty()) by_log_.erase(log);
  } else {
    const auto space = by_space_.find(scope.space);
    space->second.erase(listener);
    if (space->second.empty()) by_space_.erase(space);
  }
}

// Wakes under the lock, so that a listener that is being destroyed waits; a wake only sets a flag
// and queues work.
void CommitFeed::Committed(uint32_t log_id, const v1::SpaceCommit& commit) {
  {
    absl::MutexLock lock(&mutex_);
    if (const auto space = by_space_.find(commit.space()); space != by_space_.end()) {
      for (Listener* listener : space->second) listener->wake_();
    }
    if (const auto log = by_log_.find(log_id); log != by_log_.end()) {
      for (Listener* listener : log->second) listener->wake_();
    }
  }
  bus_.Publish(ChannelOfSpace(commit.space()), commit.SerializeAsString());
}

absl::Status CommitFeed::CheckHeads() {
  std::vector<FeedScope> followed;
  std::vector<uint32_t> log_ids;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [space, listeners] : by_space_) {
      followed.push_back((*listeners.begin())->scope_);
    }
    for (const auto& [log_id, listeners] : by_log_) log_ids.push_back(log_id);
  }
  absl::flat_hash_map<std::string, int64_t> space_heads;
  for (std::size_t begin = 0; begin < followed.size(); begin += kSpaceHeadsMax) {
    const std::size_t end = std::min(followed.size(), begin + kSpaceHeadsMax);
    std::vector<SpaceName> names;
    for (std::size_t i = begin; i < end; ++i) {
      names.push_back({followed[i].log_id, followed[i].space});
    }
    ASSIGN_OR_RETURN(const std::vector<SpaceHead> heads, storage_.SpaceHeads(names));
    for (std::size_t i = begin; i < end; ++i) {
      const SpaceHead& head = heads[i - begin];
      if (head.epoch != 0) space_heads[followed[i].space] = head.seq;
    }
  }
  absl::flat_hash_map<uint32_t, int64_t> log_heads;
  if (!log_ids.empty()) {
    ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs(log_ids));
    for (const LogState& log : logs) log_heads[log.log_id] = log.next_position - 1;
  }
  WakeBehind(space_heads, log_heads);
  return absl::OkStatus();
}

// A head below what was reached means lost history: the follower must notice that too.
void CommitFeed::WakeBehind(const absl::flat_hash_map<std::string, int64_t>& space_heads,
                            const absl::flat_hash_map<uint32_t, int64_t>& log_heads) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [space, head] : space_heads) {
    const auto listeners = by_space_.find(space);
    if (listeners == by_space_.end()) continue;
    for (Listener* listener : listeners->second) {
      if (listener->reached_.load() != head) listener->wake_();
    }
  }
  for (const auto& [log_id, head] : log_heads) {
    const auto listeners = by_log_.find(log_id);
    if (listeners == by_log_.end()) continue;
    for (Listener* listener : listeners->second) {
      if (listener->reached_.load() != head) listener->wake_();
    }
  }
}

std::size_t CommitFeed::listeners() const {
  absl::MutexLock lock(&mutex_);
  std::size_t count = 0;
  for (const auto& [space, listeners] : by_space_) count += listeners.size();
  for (const auto& [log_id, listeners] : by_log_) count += listeners.size();
  return count;
}

}  // namespace bdcsync::event_store
