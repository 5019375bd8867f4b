// Decides meetings with libs/merge on the spot, as the conflict service does, or fails on demand.
// For tests. Thread-safe.
#pragma once

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/call_trace.h"
#include "services/version/resolver.h"

namespace bdcsync::version::testing {

class MergingResolver final : public Resolver {
 public:
  void Resolve(conflict::v1::ResolveRequest request, Callback callback) override;
  // Who asked last, when the resolver is behind a server.
  void NoteCaller(CallTrace trace);
  CallTrace last_caller();
  // While set, calls fail.
  void FailWith(absl::Status status);
  // Calls so far, and the request of the last one.
  int calls();
  conflict::v1::ResolveRequest last_request();

 private:
  absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  conflict::v1::ResolveRequest last_ ABSL_GUARDED_BY(mutex_);
  CallTrace last_caller_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::version::testing
