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
constexpr metrics::MetricInfo kOpen{"bdcsync_conflict_open_conflicts",
                                    "Conflicts that are not closed, by state."};
constexpr metrics::MetricInfo kOpenSeconds{"bdcsync_conflict_open_oldest_seconds",
                                           "Age of the oldest conflict of the state; 0: none."};
constexpr metrics::MetricInfo kOverdue{
    "bdcsync_conflict_overdue_seconds",
    "How long the fallbacks or the check of the conflict that waits for them the longest have been "
    "due; 0: none waits."};
constexpr metrics::MetricInfo kClosings{"bdcsync_conflict_closings_total",
                                        "Conflicts that the log was said to have closed, by how."};
constexpr metrics::MetricInfo kTooManyDue{
    "bdcsync_conflict_due_too_many_total",
    "Times that more conflicts that are due could not be closed than "
    "conflict.due_stepped_over_max: others wait behind them."};
constexpr metrics::MetricInfo kCloseCalls{
    "bdcsync_conflict_close_calls_total",
    "Places decided by times that were nearer to each other than clocks may differ."};
constexpr metrics::MetricInfo kScriptRuns{"bdcsync_conflict_script_runs_total",
                                          "Places that scripts of rules were asked about."};
constexpr metrics::MetricInfo kRemoteOutOfTime{
    "bdcsync_conflict_resolver_out_of_time_places_total",
    "Places of rules remote that the else decided: conflict.resolver_wait_max was over."};
constexpr metrics::MetricInfo kScriptFailures{
    "bdcsync_conflict_script_failures_total",
    "Runs of scripts that decided nothing, by the reason; the `else` did."};
constexpr metrics::MetricInfo kRuleSets{"bdcsync_conflict_rule_sets",
                                        "Entity types whose rule set holds in this process."};
constexpr metrics::MetricInfo kRulesChanged{
    "bdcsync_conflict_rule_changes_total",
    "Times that other rule sets were taken into use in this process."};
constexpr metrics::MetricInfo kRulesUnread{
    "bdcsync_conflict_rule_read_failures_total",
    "Times that it could not be read which rule sets hold; those known before do."};
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

Metrics::Metrics(metrics::Registry& registry, std::function<double()> queued,
                 std::function<double()> rule_sets)
    : overdue_(registry.AddGauge(kOverdue)),
      too_many_due_(registry.AddCounter(kTooManyDue, {})),
      close_calls_(registry.AddCounter(kCloseCalls, {})),
      script_runs_(registry.AddCounter(kScriptRuns, {})),
      remote_out_of_time_(registry.AddCounter(kRemoteOutOfTime, {})),
      rules_changed_(registry.AddCounter(kRulesChanged, {})),
      rules_unread_(registry.AddCounter(kRulesUnread, {})),
      record_items_(registry.AddHistogram(kRecordItems, metrics::SizeBuckets())),
      record_seconds_(registry.AddHistogram(kRecordSeconds, metrics::LatencyBuckets())) {
  for (int kind = 0; kind < kKinds; ++kind) {
    const std::string name(MeetingKindName(static_cast<MeetingKind>(kind)));
    meetings_[kind] = &registry.AddCounter(kMeetings, {{"kind", name}});
  }
  for (size_t i = 0; i < open_.size(); ++i) {
    const metrics::Labels labels{{"state", StateName(static_cast<int>(i) + 1)}};
    open_[i] = &registry.AddGauge(kOpen, labels);
    open_seconds_[i] = &registry.AddGauge(kOpenSeconds, labels);
  }
  for (int state = v1::CONFLICT_STATE_RESOLVED; state <= v1::ConflictState_MAX; ++state) {
    closings_[state] = &registry.AddCounter(kClosings, {{"state", StateName(state)}});
  }
  for (int rule = 0; rule < kRules; ++rule) {
    const std::string name(merge::RuleName(static_cast<merge::RuleKind>(rule)));
    decisions_[rule] = &registry.AddCounter(kDecisions, {{"rule", name}});
  }
  for (int failure = 0; failure < kOutOfTime; ++failure) {
    const std::string name(script::FailureName(static_cast<script::Failure>(failure)));
    script_failures_[failure] = &registry.AddCounter(kScriptFailures, {{"failure", name}});
  }
  script_failures_[kOutOfTime] = &registry.AddCounter(kScriptFailures, {{"failure", "time"}});
  registry.AddGaugeCallback(kQueueItems, {}, std::move(queued));
  registry.AddGaugeCallback(kRuleSets, {}, std::move(rule_sets));
}

void Metrics::OnResolved(const v1::ResolveResult& result) {
  meetings_[static_cast<int>(KindOf(result))]->Add();
  for (const v1::Decision& decision : result.decisions()) {
    const std::optional<merge::RuleKind> rule = merge::RecordedRule(decision.rule());
    if (rule) decisions_[static_cast<int>(*rule)]->Add();
    if (decision.close_call()) close_calls_.Add();
  }
}

void Metrics::OnOpenCounted(const OpenCounts& counts, absl::Time now) {
  for (size_t i = 0; i < counts.size(); ++i) {
    open_[i]->Set(static_cast<double>(counts[i].conflicts));
    const absl::Duration age = now - absl::FromUnixMillis(counts[i].oldest_opened_ms);
    open_seconds_[i]->Set(counts[i].conflicts == 0 ? 0 : absl::ToDoubleSeconds(age));
  }
}

void Metrics::OnClosed(v1::ConflictState state) { closings_[state]->Add(); }

void Metrics::OnRecorded(size_t records, absl::Duration duration) {
  record_items_.Observe(static_cast<double>(records));
  record_seconds_.Observe(duration);
}

void Metrics::OnScript(const absl::Status& run) {
  script_runs_.Add();
  if (run.ok()) return;
  const std::optional<script::Failure> failure = script::FailureOf(run);
  script_failures_[failure ? static_cast<int>(*failure) : kOutOfTime]->Add();
}

void Metrics::OnRulesRead(bool ok, bool changed) {
  if (!ok) rules_unread_.Add();
  if (changed) rules_changed_.Add();
}

}  // namespace bdcsync::conflict
