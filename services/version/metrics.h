// What version counts beside the calls themselves, which the gRPC server counts. Thread-safe.
#pragma once

#include <array>
#include <functional>

#include "libs/metrics/registry.h"
#include "services/version/commit_observer.h"
#include "services/version/head_cache.h"

namespace bdcsync::version {

class Metrics final : public CommitObserver {
 public:
  // `registry` is borrowed and must outlive this. `cache` and `queued` are asked at each rendering.
  Metrics(metrics::Registry& registry, const HeadCache& cache, std::function<double()> queued);

  void OnBatch(size_t operations) override;
  void OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) override;
  void OnMeetings(size_t meetings) override;
  void OnLostRace() override;

 private:
  using ByOutcome = std::array<metrics::Counter*, common::v1::Outcome_ARRAYSIZE>;

  std::array<ByOutcome, common::v1::OperationKind_ARRAYSIZE> operations_{};
  metrics::Histogram& batch_items_;
  metrics::Counter& meetings_;
  metrics::Counter& lost_races_;
};

}  // namespace bdcsync::version
