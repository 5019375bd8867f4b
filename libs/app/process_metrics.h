// Metrics of the process itself, under the names that Prometheus dashboards expect, and of the bus
// and worker pool that every process has. Thread-safe: functions only.
#pragma once

#include "libs/base/clock.h"
#include "libs/bus/bus.h"
#include "libs/metrics/registry.h"

namespace bdcsync::rpc {
class WorkerPool;
}  // namespace bdcsync::rpc

namespace bdcsync::app {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
// process_start_time_seconds.
void AddProcessMetrics(metrics::Registry& registry, const Clock& clock);
// bdcsync_bus_*. Borrowed until the registry's last Render, as is `workers` below.
void AddBusMetrics(metrics::Registry& registry, const bus::Bus& bus);
// bdcsync_workers_queued_tasks.
void AddWorkerMetrics(metrics::Registry& registry, const rpc::WorkerPool& workers);

}  // namespace bdcsync::app
