// What version counts and logs beside the calls themselves, which the gRPC server does.
// Thread-safe.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "libs/base/clock.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "services/version/commit_observer.h"
#include "services/version/head_cache.h"

namespace bdcsync::version {

class Metrics final : public CommitObserver {
 public:
  // `registry` and `clock` are borrowed and must outlive this. `cache` and `queued` are asked at
  // each rendering.
  Metrics(metrics::Registry& registry, const log::Logger& logger, const Clock& clock,
          const HeadCache& cache, std::function<double()> queued);

  void OnBatch(size_t operations) override;
  void OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) override;
  void OnMeetings(size_t meetings) override;
  void OnWrites(WritesTold told) override;
  void OnText(TextRoute route) override;
  void OnLostRace() override;
  void OnJoined(const CallTrace& batch, const std::vector<const CallTrace*>& calls) override;
  void OnSentBack(const common::v1::Operation& operation, const absl::Status& why) override;
  void OnConflictOpened() override;
  void OnConflictClosed(conflict::v1::ConflictState state) override;
  void OnFactsLost(size_t facts, const absl::Status& why) override;

 private:
  using ByOutcome = std::array<metrics::Counter*, common::v1::Outcome_ARRAYSIZE>;

  const log::Logger logger_;
  log::Throttle failures_;
  std::array<ByOutcome, common::v1::OperationKind_ARRAYSIZE> operations_{};
  std::array<metrics::Counter*, 3> writes_{};  // By WritesTold.
  std::array<metrics::Counter*, 4> text_{};    // By route.
  metrics::Histogram& batch_items_;
  metrics::Counter& meetings_;
  metrics::Counter& lost_races_;
  metrics::Counter& sent_back_;
  metrics::Counter& opened_;
  std::array<metrics::Counter*, conflict::v1::ConflictState_ARRAYSIZE> closed_{};
  metrics::Counter& facts_lost_;
  log::Throttle lost_facts_;
};

}  // namespace bdcsync::version
