// What a gateway knows, when stored operations are to be committed, of what their senders may still
// do: the latest token of each device that it has seen while operations waited, which devices are
// revoked, and when the token that allowed an operation ends. Bounded. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/clock.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

struct KnownAccessLimits {
  absl::Duration token_grace = absl::Hours(1);  // offline.token_grace
  size_t devices_max = 100'000;                 // Remembered; those longest unheard of give way.
};

class KnownAccess {
 public:
  struct Sources {
    // Of an open session, by its latest token; null when it is gone.
    std::function<std::shared_ptr<const Caller>(absl::string_view session_id)> caller_of_session;
    std::function<bool(absl::string_view user_id, absl::string_view device_id)> revoked;
  };

  // `clock` is borrowed.
  KnownAccess(const Clock& clock, Sources sources, KnownAccessLimits limits)
      : clock_(clock), sources_(std::move(sources)), limits_(limits) {}

  // Operations wait, or none does any more: then nothing needs to be remembered.
  void Remember(bool operations_wait);
  // An operation of this caller is stored: its session may have a newer token than it came with.
  void OnStored(const Caller& caller);
  // The latest token of a device. One without a device says nothing about another one.
  void OnAccess(const std::shared_ptr<const Caller>& caller);

  // Whether an operation that was allowed by a token that ends at `token_expires` may be committed
  // now. `vouched`: an operator has sent it again, which stands for a token that has ended.
  //   kForbidden     its device was revoked, or may not write the space any more.
  //   kTokenExpired  its token has ended for longer than the grace, and no newer one was seen.
  absl::Status Check(const version::v1::CommitItem& operation, absl::Time token_expires,
                     bool vouched) const;

 private:
  using Device = std::pair<std::string, std::string>;  // User and device.
  struct Entry {
    std::shared_ptr<const Caller> caller;
    std::list<Device>::iterator place;  // In `order_`.
  };

  std::shared_ptr<const Caller> LatestOf(const common::v1::Actor& actor) const;

  const Clock& clock_;
  const Sources sources_;
  const KnownAccessLimits limits_;
  mutable absl::Mutex mutex_;
  bool operations_wait_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<Device, Entry> latest_ ABSL_GUARDED_BY(mutex_);
  std::list<Device> order_ ABSL_GUARDED_BY(mutex_);  // The longest unheard of first.
};

}  // namespace bdcsync::gateway
