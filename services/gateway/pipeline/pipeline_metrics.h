// What the pipeline counts. Thread-safe: atomics of the process's registry.
#pragma once

#include <array>

#include "bdcsync/common/v1/common.pb.h"
#include "libs/metrics/registry.h"

namespace bdcsync::gateway {

class PipelineMetrics {
 public:
  explicit PipelineMetrics(metrics::Registry& registry);

  // Operations by how they ended.
  metrics::Counter& operations(common::v1::Outcome outcome) { return *operations_[outcome]; }

  metrics::Counter& rate_limited;
  metrics::Histogram& operation_seconds;  // From Submit to the outcome.
  metrics::Histogram& batch_items;        // Operations in one Commit.
  metrics::Histogram& commit_seconds;     // Of one Commit.
  metrics::Counter& commit_failures;      // Commits that nothing is known of.
  metrics::Counter& results_left_out;     // Whose data is read after the Commit.
  metrics::Counter& lists_cut_by_bytes;   // Answers to list that are short: their data is large,
  metrics::Counter& lists_cut_by_rows;    // or too many rows were looked at.

 private:
  std::array<metrics::Counter*, common::v1::Outcome_ARRAYSIZE> operations_;
};

}  // namespace bdcsync::gateway
