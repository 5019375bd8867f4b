#include "libs/app/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/time/time.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::app {
namespace {

using metrics::MetricInfo;

constexpr MetricInfo kCpuSeconds{"process_cpu_seconds_total",
                                 "Processor time that the process has used."};
constexpr MetricInfo kResidentBytes{"process_resident_memory_bytes",
                                    "Memory of the process that is in RAM."};
constexpr MetricInfo kOpenFiles{"process_open_fds", "File descriptors that are open."};
constexpr MetricInfo kOpenFilesMax{"process_max_fds",
                                   "How many file descriptors the process may have open."};
constexpr MetricInfo kStartTime{"process_start_time_seconds",
                                "When the process started, in seconds since 1970-01-01 UTC."};
constexpr MetricInfo kReady{"bdcsync_ready", "1 while /readyz answers 200, 0 while it does not."};
constexpr MetricInfo kReadyCheck{"bdcsync_ready_check",
                                 "1 while the check of /readyz passes, 0 while it does not."};
constexpr MetricInfo kQueuedTasks{"bdcsync_workers_queued_tasks",
                                  "Blocking tasks that wait for a worker thread."};
constexpr MetricInfo kBusHealthy{"bdcsync_bus_healthy_nodes",
                                 "1 while messages flow through the bus, 0 while they do not."};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) +
                               absl::DurationFromTimeval(usage.ru_stime));
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double all_pages = 0;
  double resident_pages = 0;
  file >> all_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  std::error_code error;
  double files = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++files;
  }
  return files;
}

double OpenFilesMax() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

struct BusCounter {
  MetricInfo info;
  uint64_t bus::BusStats::*value;
};
constexpr BusCounter kBusCounters[] = {
    {{"bdcsync_bus_published_messages_total", "Messages handed to the bus's transport."},
     &bus::BusStats::published},
    {{"bdcsync_bus_published_bytes_total", "Bytes of the messages handed to the transport."},
     &bus::BusStats::published_bytes},
    {{"bdcsync_bus_dropped_messages_total",
      "Messages dropped because the outgoing queue was full."},
     &bus::BusStats::publish_dropped},
    {{"bdcsync_bus_failed_messages_total", "Messages that a fault of the transport may have lost."},
     &bus::BusStats::publish_failed},
    {{"bdcsync_bus_writes_total", "Batches written to the transport."}, &bus::BusStats::writes},
    {{"bdcsync_bus_delivered_messages_total", "Messages given to subscribers."},
     &bus::BusStats::delivered},
    {{"bdcsync_bus_delivered_bytes_total", "Bytes of the messages given to subscribers."},
     &bus::BusStats::delivered_bytes},
    {{"bdcsync_bus_unreadable_messages_total",
      "Messages that a subscriber could not read: another version, or somebody else, publishes."},
     &bus::BusStats::unreadable},
    {{"bdcsync_bus_gaps_total", "Times a subscriber was told that messages may be missing."},
     &bus::BusStats::gaps},
    {{"bdcsync_bus_reconnects_total", "Connections made after the first of each node."},
     &bus::BusStats::reconnects},
};
constexpr BusCounter kBusGauges[] = {
    {{"bdcsync_bus_queued_messages", "Messages waiting in the outgoing queue."},
     &bus::BusStats::queued},
    {{"bdcsync_bus_subscribed_channels", "Channels with at least one subscriber."},
     &bus::BusStats::channels},
};

}  // namespace

void AddProcessMetrics(metrics::Registry& registry, const Clock& clock) {
  registry.AddCounterCallback(kCpuSeconds, {}, CpuSeconds);
  registry.AddGaugeCallback(kResidentBytes, {}, ResidentBytes);
  registry.AddGaugeCallback(kOpenFiles, {}, OpenFiles);
  registry.AddGaugeCallback(kOpenFilesMax, {}, OpenFilesMax);
  registry.AddGauge(kStartTime).Set(absl::ToDoubleSeconds(clock.Now() - absl::UnixEpoch()));
}

void AddReadinessMetric(metrics::Registry& registry, const std::string& component,
                        const Readiness& readiness) {
  registry.AddGaugeCallback(kReady, {{"component", component}},
                            [&readiness] { return readiness.Get().ok() ? 1.0 : 0.0; });
}

void AddReadinessCheckMetric(metrics::Registry& registry, const std::string& name,
                             std::function<absl::Status()> check) {
  registry.AddGaugeCallback(kReadyCheck, {{"check", name}},
                            [check = std::move(check)] { return check().ok() ? 1.0 : 0.0; });
}

void AddBusMetrics(metrics::Registry& registry, const bus::Bus& bus) {
  for (const BusCounter& counter : kBusCounters) {
    registry.AddCounterCallback(counter.info, {}, [&bus, &counter] {
      return static_cast<double>(bus.Stats().*counter.value);
    });
  }
  for (const BusCounter& gauge : kBusGauges) {
    registry.AddGaugeCallback(
        gauge.info, {}, [&bus, &gauge] { return static_cast<double>(bus.Stats().*gauge.value); });
  }
  registry.AddGaugeCallback(kBusHealthy, {}, [&bus] { return bus.Health().ok() ? 1.0 : 0.0; });
}

void AddWorkerMetrics(metrics::Registry& registry, const rpc::WorkerPool& workers) {
  registry.AddGaugeCallback(kQueuedTasks, {},
                            [&workers] { return static_cast<double>(workers.queued()); });
}

}  // namespace bdcsync::app
