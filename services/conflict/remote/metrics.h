// What remote resolvers count. The label `resolver` is a name of conflict.resolvers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "services/conflict/remote/resolver_line.h"

namespace bdcsync::conflict {

// Places asked of a resolver that is not configured.
metrics::Counter& AddUnknownResolverPlaces(metrics::Registry& registry);

// Of one resolver. Logs when it begins to be left alone and when it answers again. Thread-safe.
class ResolverMetrics final : public LineObserver {
 public:
  // `registry` is borrowed and must outlive this.
  ResolverMetrics(metrics::Registry& registry, log::Logger logger, absl::string_view resolver);

  void OnCall(CallOutcome outcome, std::size_t places, absl::Duration duration) override;
  void OnAnswer(const RemoteAnswer& answer) override;
  void OnQueue(double places) override;
  void OnBreaker(CircuitBreaker::State state) override;

 private:
  const log::Logger logger_;
  const std::string resolver_;
  std::atomic<CircuitBreaker::State> state_{CircuitBreaker::State::kClosed};
  std::array<metrics::Counter*, kCallOutcomes> calls_{};
  std::array<metrics::Counter*, kNoAnswers> failures_{};
  metrics::Counter& answered_;
  metrics::Histogram& places_;
  metrics::Histogram& seconds_;
  metrics::Gauge& queue_;
  metrics::Gauge& breaker_;
};

}  // namespace bdcsync::conflict
