#include "libs/app/file_watch.h"

#include <utility>

namespace bdcsync::app {
namespace {

constexpr metrics::MetricInfo kReloads{
    "bdcsync_file_reloads_total",
    "Times that replaced files, such as certificates, were taken into use or could not be."};

}  // namespace

FileWatch::FileWatch(absl::Duration interval, const log::Logger& logger, metrics::Registry& metrics)
    : interval_(interval), logger_(logger), metrics_(metrics) {}

void FileWatch::Add(absl::string_view name, Look look) {
  const auto counter = [&](const char* outcome) -> metrics::Counter& {
    return metrics_.AddCounter(kReloads, {{"files", std::string(name)}, {"outcome", outcome}});
  };
  absl::MutexLock lock(&looking_);
  watched_.push_back({std::string(name), std::move(look), counter("changed"), counter("failed")});
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void FileWatch::LookNow() {
  absl::MutexLock lock(&looking_);
  for (const Watched& watched : watched_) {
    const absl::StatusOr<bool> changed = watched.look();
    if (!changed.ok()) {
      watched.failed.Add();
      logger_.Error("replaced files cannot be used; those known before stay in use",
                    {{"files", watched.name}, {"error", changed.status().message()}});
    } else if (*changed) {
      watched.changed.Add();
      logger_.Info("replaced files are in use", {{"files", watched.name}});
    }
  }
}

void FileWatch::Stop() {
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
  absl::MutexLock lock(&looking_);
  watched_.clear();
}

void FileWatch::Run() {
  while (!stop_.WaitFor(interval_)) LookNow();
}

}  // namespace bdcsync::app
