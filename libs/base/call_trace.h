// What travels with a request from service to service: its id, for the logs, and the moment by
// which its caller has given up. A CallScope makes it the current one of a thread while the request
// is worked on there; libs/rpc sends it along with calls that begin meanwhile, and makes it current
// again around their answers. A thread-local, since it concerns every call and no decision.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/ids.h"

namespace bdcsync {

// A longer request id from a caller is cut to this.
inline constexpr size_t kRequestIdBytesMax = 128;
// `text` fit for metadata and logs: without quotes, spaces and what cannot be printed, and cut.
std::string CleanRequestId(absl::string_view text);

struct CallTrace {
  std::string request_id;                               // Empty: none is known.
  absl::Duration not_after = absl::InfiniteDuration();  // By SystemClock::Monotonic().
};

// Of one thread; scopes nest.
class CallScope {
 public:
  explicit CallScope(CallTrace trace);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  // Of the innermost scope of this thread; without one, a trace that says nothing.
  static const CallTrace& Current();

 private:
  const CallTrace trace_;
  const CallScope* const outer_;
};

// The trace of work that is done for several requests together: that of the request when there is
// only one, else an id of its own, "batch-…", and the latest of their moments, so that the most
// patient caller gets an answer.
CallTrace TraceOfBatch(const std::vector<const CallTrace*>& requests, Random& random);

}  // namespace bdcsync
