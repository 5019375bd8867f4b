// What sessions count, and errors of operations wherever they came from. Thread-safe.
#pragma once

#include <array>
#include <vector>

#include "absl/time/time.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "libs/base/errors.h"
#include "libs/metrics/registry.h"
#include "services/gateway/protocol/client_message.h"

namespace bdcsync::gateway {

class SessionMetrics {
 public:
  explicit SessionMetrics(metrics::Registry& registry);

  // A request of `type` was answered after `took`.
  void CountRequest(MessageType type, absl::Duration took);
  // A request or session was told of this error.
  void CountError(Reason reason);
  // Those of operations, which gRPC callers are told of, too.
  void CountErrors(const std::vector<sync::v1::OperationResult>& results);

  metrics::Gauge& sessions;
  metrics::Gauge& subscriptions;
  metrics::Gauge& requests_in_flight;
  metrics::Counter& authenticated;
  metrics::Counter& authentication_refused;
  metrics::Counter& superseded;
  metrics::Counter& tokens_expired;
  metrics::Counter& sessions_revoked;
  metrics::Counter& space_purges_asked;
  metrics::Counter& space_purges_confirmed;
  metrics::Counter& device_purges_asked;
  metrics::Counter& device_purges_confirmed;
  metrics::Counter& late_outcomes;
  metrics::Counter& reading_paused;
  metrics::Counter& reads_waited;
  metrics::Counter& presences_held;
  metrics::Counter& broadcasts_dropped;

 private:
  std::array<metrics::Histogram*, kMessageTypes> request_seconds_;
  std::array<metrics::Counter*, static_cast<size_t>(Reason::kInternal) + 1> errors_;
};

}  // namespace bdcsync::gateway
