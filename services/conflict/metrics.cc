#include "services/conflict/metrics.h"

#include <string>
#include <utility>

namespace bdcsync::conflict {
namespace {

constexpr metrics::MetricInfo kMeetings{"bdcsync_conflict_meetings_total",
                                        "Meetings decided, by how the changes met."};
constexpr metrics::MetricInfo kDecisions{"bdcsync_conflict_decisions_total",
                                         "Places decided, by rule."};
constexpr metrics::MetricInfo kRecordItems{"bdcsync_conflict_record_batch_items",
                                           "Records in one transaction."};
constexpr metrics::MetricInfo kRecordSeconds{"bdcsync_conflict_record_seconds",
                                             "Time until records were durable."};
constexpr metrics::MetricInfo kQueueItems{"bdcsync_conflict_record_queue_items",
                                          "Calls that wait for their record."};

}  // namespace

Metrics::Metrics(metrics::Registry& registry, std::function<double()> queued)
    : three_way_(registry.AddCounter(kDecisions, {{"rule", "three_way"}})),
      lww_(registry.AddCounter(kDecisions, {{"rule", "lww"}})),
      edit_wins_(registry.AddCounter(kDecisions, {{"rule", "edit_wins"}})),
      record_items_(registry.AddHistogram(kRecordItems, metrics::SizeBuckets())),
      record_seconds_(registry.AddHistogram(kRecordSeconds, metrics::LatencyBuckets())) {
  for (int kind = 0; kind < kKinds; ++kind) {
    const std::string name(MeetingKindName(static_cast<MeetingKind>(kind)));
    meetings_[kind] = &registry.AddCounter(kMeetings, {{"kind", name}});
  }
  registry.AddGaugeCallback(kQueueItems, {}, std::move(queued));
}

void Metrics::OnResolved(const v1::ResolveResult& result) {
  meetings_[static_cast<int>(KindOf(result))]->Add();
  for (const v1::Decision& decision : result.decisions()) {
    (decision.rule() == "lww"         ? lww_
     : decision.rule() == "edit_wins" ? edit_wins_
                                      : three_way_)
        .Add();
  }
}

void Metrics::OnRecorded(size_t records, absl::Duration duration) {
  record_items_.Observe(static_cast<double>(records));
  record_seconds_.Observe(duration);
}

}  // namespace bdcsync::conflict
