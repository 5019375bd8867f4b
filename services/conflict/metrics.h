// What conflict counts beside the calls themselves, which the gRPC server counts. Thread-safe.
#pragma once

#include <array>
#include <functional>

#include "absl/time/time.h"
#include "libs/metrics/registry.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {

class Metrics {
 public:
  // `registry` is borrowed and must outlive this. `queued` is asked at each rendering.
  Metrics(metrics::Registry& registry, std::function<double()> queued);

  void OnResolved(const v1::ResolveResult& result);
  // The log has closed a conflict.
  void OnClosed(v1::ConflictState state);
  void OnRecorded(size_t records, absl::Duration duration);

 private:
  static constexpr int kKinds = static_cast<int>(MeetingKind::kRefused) + 1;

  std::array<metrics::Counter*, kKinds> meetings_{};
  std::array<metrics::Counter*, v1::ConflictState_ARRAYSIZE> closings_{};  // By state.
  metrics::Counter& three_way_;
  metrics::Counter& lww_;
  metrics::Counter& edit_wins_;
  metrics::Histogram& record_items_;
  metrics::Histogram& record_seconds_;
};

}  // namespace bdcsync::conflict
