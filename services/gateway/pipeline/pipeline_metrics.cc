#include "services/gateway/pipeline/pipeline_metrics.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kOperations{"bdcsync_gateway_operations_total",
                                          "Operations by how they ended."};
constexpr metrics::MetricInfo kRateLimited{"bdcsync_gateway_rate_limited_total",
                                           "Submissions refused because of too many operations."};
constexpr metrics::MetricInfo kOperationSeconds{
    "bdcsync_gateway_operation_seconds", "From the submission of operations to the outcome."};
constexpr metrics::MetricInfo kBatchItems{"bdcsync_gateway_commit_batch_items",
                                          "Operations in one call to the version service."};
constexpr metrics::MetricInfo kCommitSeconds{"bdcsync_gateway_commit_seconds",
                                             "Duration of calls that commit a batch."};
constexpr metrics::MetricInfo kCommitFailures{"bdcsync_gateway_commit_failures_total",
                                              "Calls that commit a batch and failed as a whole."};
constexpr metrics::MetricInfo kLeftOut{
    "bdcsync_gateway_results_left_out_total",
    "Results of commits whose data was read apart: together they were too large for an answer."};
constexpr metrics::MetricInfo kListsCut{
    "bdcsync_gateway_lists_cut_total",
    "Pages of lists shorter than asked for: their data is large, or few rows of the log match."};

std::string LabelOf(int outcome) {
  const std::string name = common::v1::Outcome_Name(static_cast<common::v1::Outcome>(outcome));
  return absl::AsciiStrToLower(absl::StripPrefix(name, "OUTCOME_"));
}

}  // namespace

PipelineMetrics::PipelineMetrics(metrics::Registry& registry)
    : rate_limited(registry.AddCounter(kRateLimited)),
      operation_seconds(registry.AddHistogram(kOperationSeconds, metrics::LatencyBuckets())),
      batch_items(registry.AddHistogram(kBatchItems, metrics::SizeBuckets())),
      commit_seconds(registry.AddHistogram(kCommitSeconds, metrics::LatencyBuckets())),
      commit_failures(registry.AddCounter(kCommitFailures)),
      results_left_out(registry.AddCounter(kLeftOut)),
      lists_cut_by_bytes(registry.AddCounter(kListsCut, {{"cause", "bytes"}})),
      lists_cut_by_rows(registry.AddCounter(kListsCut, {{"cause", "rows"}})) {
  for (int outcome = 0; outcome < common::v1::Outcome_ARRAYSIZE; ++outcome) {
    operations_[outcome] = &registry.AddCounter(kOperations, {{"outcome", LabelOf(outcome)}});
  }
}

}  // namespace bdcsync::gateway
