#include "libs/app/starter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/rpc/retry.h"

namespace bdcsync::app {
namespace {

constexpr absl::Duration kStartRetryInitial = absl::Milliseconds(100);
constexpr absl::Duration kWarningInterval = absl::Seconds(10);
constexpr metrics::MetricInfo kRetriesMetric{
    "bdcsync_start_retries_total",
    "Attempts to start a service again because what it needs was away."};

absl::Status Named(const Module& module, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(module.name(), ": ", status.message()));
}

}  // namespace

Starter::Starter(Context& context, const std::vector<Module*>& modules, StarterCallbacks callbacks)
    : context_(context),
      callbacks_(std::move(callbacks)),
      retries_(context.metrics().AddCounter(kRetriesMetric)),
      warnings_(context.clock(), kWarningInterval) {
  for (Module* const module : modules) {
    pending_.push_back({module, absl::UnavailableError("not yet started")});
    context.AddReadinessCheck(absl::StrCat(module->name(), " start"),
                              [this, module] { return StatusOf(module); });
  }
}

Starter::~Starter() { (void)Stop(); }

void Starter::Continue() {
  bool done = false;
  {
    absl::MutexLock lock(&mutex_);
    done = pending_.empty();
  }
  if (done) {
    callbacks_.on_started();
  } else {
    thread_ = std::thread([this] { KeepTrying(); });
  }
}

std::vector<Module*> Starter::Stop() {
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
  absl::MutexLock lock(&mutex_);
  return started_;
}

absl::Status Starter::TryAll() {
  std::vector<Module*> modules;
  {
    absl::MutexLock lock(&mutex_);
    for (const Pending& pending : pending_) modules.push_back(pending.module);
  }
  for (Module* const module : modules) {
    const absl::Status status = module->Start(context_);
    Record(module, status);
    if (status.ok()) continue;
    if (!absl::IsUnavailable(status)) return Named(*module, status);
    if (const auto held_back = warnings_.Allow(); held_back.has_value()) {
      context_.logger().Warn(
          "a service waits for what it needs",
          {{"module", module->name()}, {"reason", status.message()}, {"suppressed", *held_back}});
    }
  }
  return absl::OkStatus();
}

void Starter::Record(Module* module, const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  const auto pending = std::find_if(pending_.begin(), pending_.end(),
                                    [module](const Pending& p) { return p.module == module; });
  pending->status = status;
  if (!status.ok()) return;
  pending_.erase(pending);
  started_.push_back(module);
}

void Starter::KeepTrying() {
  rpc::Backoff backoff({.initial = kStartRetryInitial, .max = kStartRetryMax});
  while (true) {
    if (stop_.WaitFor(backoff.Next(context_.random()))) return;
    retries_.Add();
    if (const absl::Status tried = TryAll(); !tried.ok()) return callbacks_.on_failed(tried);
    absl::MutexLock lock(&mutex_);
    if (pending_.empty()) break;
  }
  callbacks_.on_started();
}

absl::Status Starter::StatusOf(const Module* module) const {
  absl::MutexLock lock(&mutex_);
  for (const Pending& pending : pending_) {
    if (pending.module == module) return pending.status;
  }
  return absl::OkStatus();
}

}  // namespace bdcsync::app
