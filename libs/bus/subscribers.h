// Who listens to which channel inside this process: the half that every kind of bus shares. One
// thread delivers (Activate, Deliver, SuspendAll); any thread adds and removes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/bus/bus.h"

namespace bdcsync::bus {

// One subscriber. Gets messages while it is active; becoming active is told by on_gap.
struct Subscriber {
  std::string channel;
  MessageCallback on_message;
  GapCallback on_gap;
  bool active = false;   // Guarded by the table's mutex.
  bool removed = false;  // Guarded by the table's mutex.
};

class Subscribers {
 public:
  using Entry = std::shared_ptr<Subscriber>;  // Shared with a delivery that is under way.

  // Adds an inactive subscriber.
  Entry Add(absl::string_view channel, MessageCallback on_message, GapCallback on_gap);
  // Removes it. On return no callback of it runs, unless the caller is that callback.
  void Remove(const Entry& entry);
  // Whether anyone listens to `channel`.
  bool Has(absl::string_view channel) const;
  // All channels with a subscriber.
  std::vector<std::string> Channels() const;

  // Makes the inactive subscribers of `channel` active and calls their on_gap.
  void Activate(absl::string_view channel);
  // Calls on_message of the active subscribers of `channel`.
  void Deliver(absl::string_view channel, absl::string_view payload);
  // Makes all subscribers inactive: what comes next may be lost to them.
  void SuspendAll();

  // Adds this table's share (delivered, unreadable, gaps, channels) to `stats`.
  void AddStats(BusStats& stats) const;

 private:
  // Marks `entry` as called on this thread; false when it must not be called.
  bool Begin(const Entry& entry, bool activate);
  void End();

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::vector<Entry>> channels_ ABSL_GUARDED_BY(mutex_);
  const Subscriber* running_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread::id running_thread_ ABSL_GUARDED_BY(mutex_);
  uint64_t delivered_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t delivered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t unreadable_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t gaps_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::bus
