// Tells followers that there may be something new: those of this process at once, other processes
// over the bus, and everybody whom a hint did not reach by a check of the heads at an interval. A
// hint carries nothing: followers read the log. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "libs/bus/bus.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

// Where the commits of a space are published, as serialized v1::SpaceCommit.
std::string ChannelOfSpace(absl::string_view space);

// What is followed: a space (with its log) or a log.
struct FeedScope {
  uint32_t log_id = 0;
  std::string space;  // Empty: the whole log.
};

class CommitFeed final : public CommitSink {
 public:
  // A wish to be woken; ends with its destruction, after which `wake` does not run any more. Not
  // from inside `wake`.
  class Listener {
   public:
    ~Listener();
    // How far the follower has come: a check of the heads wakes it only if there is more.
    void Reached(int64_t seq_or_position) { reached_.store(seq_or_position); }

   private:
    friend class CommitFeed;
    Listener(CommitFeed& feed, FeedScope scope, std::function<void()> wake)
        : feed_(feed), scope_(std::move(scope)), wake_(std::move(wake)) {}
    CommitFeed& feed_;
    const FeedScope scope_;
    const std::function<void()> wake_;
    std::atomic<int64_t> reached_{0};
    std::unique_ptr<bus::Subscription> subscription_;
  };

  // Both are borrowed.
  CommitFeed(EventStorage& storage, bus::Bus& bus) : storage_(storage), bus_(bus) {}

  // `wake` must not block; it may run at any time, on any thread.
  std::unique_ptr<Listener> Listen(FeedScope scope, std::function<void()> wake);

  void Committed(uint32_t log_id, const v1::SpaceCommit& commit) override;
  // Reads the heads of all that is followed and wakes who is behind. Blocks on storage.
  absl::Status CheckHeads();
  std::size_t listeners() const;

 private:
  void Remove(Listener* listener);
  void WakeBehind(const absl::flat_hash_map<std::string, int64_t>& space_heads,
                  const absl::flat_hash_map<uint32_t, int64_t>& log_heads);

  EventStorage& storage_;
  bus::Bus& bus_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, absl::flat_hash_set<Listener*>> by_space_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint32_t, absl::flat_hash_set<Listener*>> by_log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::event_store
