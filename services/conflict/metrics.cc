#include "services/conflict/metrics.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace bdcsync::conflict {
namespace {

constexpr metrics::MetricInfo kMeetings{"bdcsync_conflict_meetings_total",
                                        "Meetings decided, by how the changes met."};
constexpr metrics::MetricInfo kDecisions{"bdcsync_conflict_decisions_total",
                                         "Places decided, by rule."};
constexpr metrics::MetricInfo kClosings{"bdcsync_conflict_closings_total",
                                        "Conflicts that the log was said to have closed, by how."};
constexpr metrics::MetricInfo kRecordItems{"bdcsync_conflict_record_batch_items",
                                           "Records in one transaction."};
constexpr metrics::MetricInfo kRecordSeconds{"bdcsync_conflict_record_seconds",
                                             "Time until records were durable."};
constexpr metrics::MetricInfo kQueueItems{"bdcsync_conflict_record_queue_items",
                                          "Calls that wait for their record."};

// "resolved", "expired", …
std::string StateName(int state) {
  const std::string& name = v1::ConflictState_Name(static_cast<v1::ConflictState>(state));
  return absl::AsciiStrToLower(absl::StripPrefix(name, "CONFLICT_STATE_"));
}

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
  for (int state = v1::CONFLICT_STATE_RESOLVED; state <= v1::ConflictState_MAX; ++state) {
    closings_[state] = &registry.AddCounter(kClosings, {{"state", StateName(state)}});
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

void Metrics::OnClosed(v1::ConflictState state) { closings_[state]->Add(); }

void Metrics::OnRecorded(size_t records, absl::Duration duration) {
  record_items_.Observe(static_cast<double>(records));
  record_seconds_.Observe(duration);
}

}  // namespace bdcsync::conflict
