#include "services/version/metrics.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace bdcsync::version {
namespace {

constexpr metrics::MetricInfo kOperations{"bdcsync_version_operations_total",
                                          "Operations answered, by kind and outcome."};
constexpr metrics::MetricInfo kBatchItems{"bdcsync_version_batch_items",
                                          "Operations in one batch on its way to event-store."};
constexpr metrics::MetricInfo kMeetings{
    "bdcsync_version_meetings_total",
    "Operations that met changes they did not know and were put to conflict."};
constexpr metrics::MetricInfo kWrites{
    "bdcsync_version_write_times_total",
    "Meetings with a base several versions behind, by whether conflict was told when each place "
    "was written since: at once (unasked), when it asked (asked), or not, so that the head's time "
    "counts (too_far)."};
constexpr std::array<absl::string_view, 3> kWritesTold = {"unasked", "asked", "too_far"};
constexpr metrics::MetricInfo kText{
    "bdcsync_version_text_operations_total",
    "Text operations committed, by how they got to the head: made there (head), moved over each "
    "change since (steps), over the difference of the texts (difference), or merged by the rules "
    "(meeting)."};
constexpr std::array<absl::string_view, 4> kTextRoutes = {"head", "steps", "difference", "meeting"};
constexpr metrics::MetricInfo kLostRaces{
    "bdcsync_version_lost_races_total",
    "Times that another writer was first on an entity, so that operations were made again."};
constexpr metrics::MetricInfo kSentBack{
    "bdcsync_version_sent_back_operations_total",
    "Operations that were not answered since event-store or conflict did not."};
constexpr metrics::MetricInfo kOpened{"bdcsync_version_conflicts_opened_total",
                                      "Changes that were kept on a branch until a person decides."};
constexpr metrics::MetricInfo kClosed{"bdcsync_version_conflicts_closed_total",
                                      "Conflicts that were closed, by the state they ended in."};
constexpr metrics::MetricInfo kFactsLost{
    "bdcsync_version_conflict_facts_lost_total",
    "Facts about conflicts that conflict was not told in time; it learns them later."};
constexpr absl::Duration kFailureInterval = absl::Seconds(1);
constexpr metrics::MetricInfo kQueueItems{"bdcsync_version_queue_items",
                                          "Operations that wait for a batch."};
constexpr metrics::MetricInfo kCacheHits{"bdcsync_version_head_cache_hits_total",
                                         "Heads that were in memory."};
constexpr metrics::MetricInfo kCacheMisses{"bdcsync_version_head_cache_misses_total",
                                           "Heads that had to be read."};
constexpr metrics::MetricInfo kCacheEvictions{"bdcsync_version_head_cache_evictions_total",
                                              "Heads that were dropped to make room."};
constexpr metrics::MetricInfo kCacheBytes{"bdcsync_version_head_cache_bytes",
                                          "Memory that the heads take."};

// "create" of OPERATION_KIND_CREATE.
std::string LabelOf(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

Metrics::Metrics(metrics::Registry& registry, const log::Logger& logger, const Clock& clock,
                 const HeadCache& cache, std::function<double()> queued)
    : logger_(logger),
      failures_(clock, kFailureInterval),
      batch_items_(registry.AddHistogram(kBatchItems, metrics::SizeBuckets())),
      meetings_(registry.AddCounter(kMeetings)),
      lost_races_(registry.AddCounter(kLostRaces)),
      sent_back_(registry.AddCounter(kSentBack)),
      opened_(registry.AddCounter(kOpened)),
      facts_lost_(registry.AddCounter(kFactsLost)),
      lost_facts_(clock, kFailureInterval) {
  for (int state = conflict::v1::CONFLICT_STATE_RESOLVED;
       state < conflict::v1::ConflictState_ARRAYSIZE; ++state) {
    const auto value = static_cast<conflict::v1::ConflictState>(state);
    closed_[state] = &registry.AddCounter(
        kClosed, {{"state", LabelOf(conflict::v1::ConflictState_Name(value), "CONFLICT_STATE_")}});
  }
  for (int kind = 1; kind < common::v1::OperationKind_ARRAYSIZE; ++kind) {
    for (int outcome = 1; outcome < common::v1::Outcome_ARRAYSIZE; ++outcome) {
      const auto kind_value = static_cast<common::v1::OperationKind>(kind);
      const auto outcome_value = static_cast<common::v1::Outcome>(outcome);
      operations_[kind][outcome] = &registry.AddCounter(
          kOperations,
          {{"kind", LabelOf(common::v1::OperationKind_Name(kind_value), "OPERATION_KIND_")},
           {"outcome", LabelOf(common::v1::Outcome_Name(outcome_value), "OUTCOME_")}});
    }
  }
  for (size_t told = 0; told < writes_.size(); ++told) {
    writes_[told] = &registry.AddCounter(kWrites, {{"told", std::string(kWritesTold[told])}});
  }
  for (size_t route = 0; route < kTextRoutes.size(); ++route) {
    text_[route] = &registry.AddCounter(kText, {{"route", std::string(kTextRoutes[route])}});
  }
  registry.AddGaugeCallback(kQueueItems, {}, std::move(queued));
  registry.AddCounterCallback(kCacheHits, {},
                              [&cache] { return static_cast<double>(cache.stats().hits); });
  registry.AddCounterCallback(kCacheMisses, {},
                              [&cache] { return static_cast<double>(cache.stats().misses); });
  registry.AddCounterCallback(kCacheEvictions, {},
                              [&cache] { return static_cast<double>(cache.stats().evictions); });
  registry.AddGaugeCallback(kCacheBytes, {},
                            [&cache] { return static_cast<double>(cache.stats().bytes); });
}

void Metrics::OnBatch(size_t operations) { batch_items_.Observe(static_cast<double>(operations)); }

void Metrics::OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) {
  const bool known = kind > 0 && kind < common::v1::OperationKind_ARRAYSIZE && outcome > 0 &&
                     outcome < common::v1::Outcome_ARRAYSIZE;
  if (known) operations_[kind][outcome]->Add();
}

void Metrics::OnMeetings(size_t meetings) { meetings_.Add(static_cast<double>(meetings)); }

void Metrics::OnWrites(WritesTold told) { writes_[static_cast<size_t>(told)]->Add(); }

void Metrics::OnText(TextRoute route) { text_[static_cast<size_t>(route)]->Add(); }

void Metrics::OnLostRace() { lost_races_.Add(); }

void Metrics::OnJoined(const CallTrace& batch, const std::vector<const CallTrace*>& calls) {
  if (!logger_.Enabled(log::Level::kDebug)) return;
  std::vector<absl::string_view> ids;
  ids.reserve(calls.size());
  for (const CallTrace* call : calls) ids.push_back(call->request_id);
  logger_.Debug("calls joined in a batch",
                {{"request_id", batch.request_id}, {"request_ids", absl::StrJoin(ids, ",")}});
}

void Metrics::OnSentBack(const common::v1::Operation& operation, const absl::Status& why) {
  sent_back_.Add();
  const auto held_back = failures_.Allow();
  if (!held_back.has_value()) return;
  logger_.Warn("an operation was sent back unanswered",
               {{"request_id", CallScope::Current().request_id},
                {"op_id", operation.op_id()},
                {"error", why.message()},
                {"suppressed", *held_back}});
}

void Metrics::OnConflictOpened() { opened_.Add(); }

void Metrics::OnConflictClosed(conflict::v1::ConflictState state) {
  const bool known = state > 0 && state < conflict::v1::ConflictState_ARRAYSIZE;
  if (known && closed_[state] != nullptr) closed_[state]->Add();
}

void Metrics::OnFactsLost(size_t facts, const absl::Status& why) {
  facts_lost_.Add(static_cast<double>(facts));
  const auto held_back = lost_facts_.Allow();
  if (!held_back.has_value()) return;
  logger_.Warn("conflict was not told of what the log holds",
               {{"request_id", CallScope::Current().request_id},
                {"facts", facts},
                {"error", why.message()},
                {"suppressed", *held_back}});
}

}  // namespace bdcsync::version
