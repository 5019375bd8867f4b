// Metrics of the process itself, under the names that Prometheus dashboards expect, of whether it
// is ready, and of the bus and worker pool that every process has. Thread-safe: functions only.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "libs/app/readiness.h"
#include "libs/base/clock.h"
#include "libs/bus/bus.h"
#include "libs/metrics/registry.h"

namespace bdcsync::rpc {
class WorkerPool;
}  // namespace bdcsync::rpc

namespace bdcsync::app {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds,
// process_start_time_seconds.
void AddProcessMetrics(metrics::Registry& registry, const Clock& clock);
// bdcsync_ready, of the service `component`: what /readyz answers. `readiness` is borrowed until
// the registry's last Render, as are `bus` and `workers` below.
void AddReadinessMetric(metrics::Registry& registry, const std::string& component,
                        const Readiness& readiness);
// bdcsync_ready_check of one of its checks.
void AddReadinessCheckMetric(metrics::Registry& registry, const std::string& name,
                             std::function<absl::Status()> check);
// bdcsync_bus_*.
void AddBusMetrics(metrics::Registry& registry, const bus::Bus& bus);
// bdcsync_workers_queued_tasks.
void AddWorkerMetrics(metrics::Registry& registry, const rpc::WorkerPool& workers);

}  // namespace bdcsync::app
