// What conflict counts beside the calls themselves, which the gRPC server counts. Thread-safe.
#pragma once

#include <array>
#include <functional>
#include <tuple>

#include "absl/time/time.h"
#include "libs/merge/rule.h"
#include "libs/metrics/registry.h"
#include "libs/script/failure.h"
#include "services/conflict/desk_storage.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {

class Metrics {
 public:
  // `registry` is borrowed and must outlive this. `queued` and `rule_sets` are asked at each
  // rendering.
  Metrics(metrics::Registry& registry, std::function<double()> queued,
          std::function<double()> rule_sets);

  void OnResolved(const v1::ResolveResult& result);
  // What is open, and how long something has been due, as the database says.
  void OnOpenCounted(const OpenCounts& counts, absl::Time now);
  void OnOverdue(absl::Duration overdue) { overdue_.Set(absl::ToDoubleSeconds(overdue)); }
  // The log has closed a conflict.
  void OnClosed(v1::ConflictState state);
  // More that are due cannot be closed than are stepped over.
  void OnTooManyDue() { too_many_due_.Add(); }
  void OnRecorded(size_t records, absl::Duration duration);
  void OnScript(const absl::Status& run);
  // So many places were not asked about because the time for it was up.
  void OnRemoteOutOfTime(size_t places) { remote_out_of_time_.Add(static_cast<double>(places)); }
  // The rules that hold were read again: whether they could be, and whether they had changed.
  void OnRulesRead(bool ok, bool changed);

 private:
  static constexpr int kKinds = static_cast<int>(MeetingKind::kRefused) + 1;
  static constexpr int kRules = static_cast<int>(merge::RuleKind::kAsk) + 1;
  // Those of libs/script, and one for runs that there was no time for.
  static constexpr int kOutOfTime = static_cast<int>(script::Failure::kMemory) + 1;

  std::array<metrics::Counter*, kKinds> meetings_{};
  std::array<metrics::Gauge*, std::tuple_size_v<OpenCounts>> open_{};          // By state.
  std::array<metrics::Gauge*, std::tuple_size_v<OpenCounts>> open_seconds_{};  // By state.
  metrics::Gauge& overdue_;
  std::array<metrics::Counter*, v1::ConflictState_ARRAYSIZE> closings_{};  // By state.
  std::array<metrics::Counter*, kRules> decisions_{};
  metrics::Counter& too_many_due_;
  metrics::Counter& close_calls_;
  metrics::Counter& script_runs_;
  std::array<metrics::Counter*, kOutOfTime + 1> script_failures_{};
  metrics::Counter& remote_out_of_time_;
  metrics::Counter& rules_changed_;
  metrics::Counter& rules_unread_;
  metrics::Histogram& record_items_;
  metrics::Histogram& record_seconds_;
};

}  // namespace bdcsync::conflict
