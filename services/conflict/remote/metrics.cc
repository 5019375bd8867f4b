#include "services/conflict/remote/metrics.h"

#include <string>
#include <utility>

namespace bdcsync::conflict {
namespace {

constexpr metrics::MetricInfo kCalls{"bdcsync_conflict_resolver_calls_total",
                                     "Calls to remote resolvers, by how they ended."};
constexpr metrics::MetricInfo kPlaces{
    "bdcsync_conflict_resolver_places_total",
    "Places that rules asked remote resolvers about: answered, or why not."};
constexpr metrics::MetricInfo kBatchPlaces{"bdcsync_conflict_resolver_batch_places",
                                           "Places in one call to a remote resolver."};
constexpr metrics::MetricInfo kSeconds{"bdcsync_conflict_resolver_seconds",
                                       "Time of one call to a remote resolver."};
constexpr metrics::MetricInfo kQueue{"bdcsync_conflict_resolver_queue_places",
                                     "Places that wait for a call to a remote resolver."};
constexpr metrics::MetricInfo kUnknown{
    "bdcsync_conflict_resolver_unknown_places_total",
    "Places that rules asked resolvers about that conflict.resolvers does not name."};
constexpr metrics::MetricInfo kBreaker{
    "bdcsync_conflict_resolver_breaker_state",
    "Whether a remote resolver is called: 0 it is, 1 a probe is out, 2 it is left alone."};

}  // namespace

metrics::Counter& AddUnknownResolverPlaces(metrics::Registry& registry) {
  return registry.AddCounter(kUnknown);
}

ResolverMetrics::ResolverMetrics(metrics::Registry& registry, log::Logger logger,
                                 absl::string_view resolver)
    : logger_(std::move(logger)),
      resolver_(resolver),
      answered_(registry.AddCounter(kPlaces, {{"resolver", resolver_}, {"outcome", "answered"}})),
      places_(
          registry.AddHistogram(kBatchPlaces, metrics::SizeBuckets(), {{"resolver", resolver_}})),
      seconds_(
          registry.AddHistogram(kSeconds, metrics::LatencyBuckets(), {{"resolver", resolver_}})),
      queue_(registry.AddGauge(kQueue, {{"resolver", resolver_}})),
      breaker_(registry.AddGauge(kBreaker, {{"resolver", resolver_}})) {
  for (int i = 0; i < kCallOutcomes; ++i) {
    const std::string outcome(CallOutcomeName(static_cast<CallOutcome>(i)));
    calls_[i] = &registry.AddCounter(kCalls, {{"resolver", resolver_}, {"outcome", outcome}});
  }
  for (int i = 0; i < kNoAnswers; ++i) {
    const std::string outcome(NoAnswerName(static_cast<NoAnswer>(i)));
    failures_[i] = &registry.AddCounter(kPlaces, {{"resolver", resolver_}, {"outcome", outcome}});
  }
}

void ResolverMetrics::OnCall(CallOutcome outcome, std::size_t places, absl::Duration duration) {
  calls_[static_cast<int>(outcome)]->Add();
  places_.Observe(static_cast<double>(places));
  seconds_.Observe(duration);
}

void ResolverMetrics::OnAnswer(const RemoteAnswer& answer) {
  (answer.failure ? *failures_[static_cast<int>(*answer.failure)] : answered_).Add();
}

void ResolverMetrics::OnQueue(double places) { queue_.Add(places); }

void ResolverMetrics::OnBreaker(CircuitBreaker::State state) {
  const CircuitBreaker::State before = state_.exchange(state);
  if (state == before) return;
  breaker_.Set(static_cast<double>(state));
  if (state == CircuitBreaker::State::kHalfOpen) return;
  if (state == CircuitBreaker::State::kOpen) {
    logger_.Warn("a remote resolver fails and is left alone for a while",
                 {{"resolver", resolver_}});
  } else {
    logger_.Info("a remote resolver answers again", {{"resolver", resolver_}});
  }
}

}  // namespace bdcsync::conflict
