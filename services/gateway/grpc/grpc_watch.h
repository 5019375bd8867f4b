// Watch streams: a gRPC call that follows a space through the feed of one loop. One write is in
// flight, what waits is bounded, and a slow caller goes on by catch-up. Thread-safe.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "libs/base/clock.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class FeedEngine;
class WatchCall;

// Answers a watch with an error.
grpc::ServerWriteReactor<sync::v1::WatchResponse>* RefuseWatch(const absl::Status& why);

class WatchHost {
 public:
  // A loop and the feed that lives on it.
  struct Feed {
    Loop* loop;
    FeedEngine* engine;
  };

  // Borrowed; calls are spread over the feeds. A call stops taking changes while more than
  // `queued_bytes_max` wait for the network.
  WatchHost(std::vector<Feed> feeds, const Clock& clock, size_t queued_bytes_max)
      : feeds_(std::move(feeds)), clock_(clock), queued_bytes_max_(queued_bytes_max) {}

  // Runs once: OK lets a call begin, anything else ends it.
  using Allow = absl::AnyInvocable<void(absl::Status)>;
  // Asks whether a call may begin.
  using Gate = absl::AnyInvocable<void(Allow)>;

  // Without a `gate` the call begins at once.
  grpc::ServerWriteReactor<sync::v1::WatchResponse>* Start(std::shared_ptr<const Caller> caller,
                                                           const sync::v1::WatchRequest& request,
                                                           Gate gate = nullptr);
  // Ends the calls of a device that was revoked.
  void EndDevice(const device_sync::v1::DeviceName& device, const absl::Status& why);
  // Ends every call with `why` and returns when none uses the feeds any more. New ones are refused.
  void Shutdown(const absl::Status& why);
  size_t size() const;

 private:
  friend class WatchCall;
  void Remove(WatchCall* call);

  const std::vector<Feed> feeds_;
  const Clock& clock_;
  const size_t queued_bytes_max_;
  mutable absl::Mutex mutex_;
  // Shared: a call lives as long as gRPC, its loop or this host uses it.
  absl::flat_hash_set<std::shared_ptr<WatchCall>> calls_ ABSL_GUARDED_BY(mutex_);
  size_t next_feed_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t ending_ ABSL_GUARDED_BY(mutex_) = 0;  // Runs of EndDevice.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync::gateway
