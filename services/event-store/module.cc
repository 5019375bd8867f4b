#include "services/event-store/module.h"

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/app/config.h"
#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/rpc/health_probe.h"
#include "libs/rpc/server.h"
#include "services/event-store/commit_feed.h"
#include "services/event-store/committer.h"
#include "services/event-store/config.h"
#include "services/event-store/event_store.h"
#include "services/event-store/grpc_adapter.h"
#include "services/event-store/metrics.h"
#include "services/event-store/periodic_task.h"
#include "services/event-store/storage/open.h"

namespace bdcsync::event_store {
namespace {

constexpr int kGrpcPort = 8772;
constexpr int kHttpPort = 8782;
constexpr int64_t kSweepRowsMax = 10000;  // One statement's share of a sweep.
constexpr int kSweepRoundsMax = 100;      // Statements in one sweep.

class EventStoreModule final : public app::Module {
 public:
  absl::string_view name() const override { return "event-store"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kLogDsns);
    schema.Add(kLogCount);
    schema.Add(kWriters);
    schema.Add(kReaders);
    schema.Add(kBatchItemsMax);
    schema.Add(kQueuedItemsMax);
    schema.Add(kCacheBytes);
    schema.Add(kSqlitePageCache);
    schema.Add(kOperationWindow);
    schema.Add(kSweepInterval);
    schema.Add(kSweepBytes);
    schema.Add(kHeadCheckInterval);
  }

  absl::Status CheckConfig(const config::Values& values,
                           std::vector<std::string>& /*warnings*/) const override {
    return CheckOpenOptions(OptionsFrom(values));
  }

  absl::Status Configure(app::Context& context) override {
    metrics_ = std::make_unique<Metrics>(context.metrics(), context.logger(), context.clock());
    adapter_ = std::make_unique<GrpcAdapter>(context.workers());
    adapter_->AddTo(context.server());
    context.AddReadinessCheck("event-store storage",
                              [this, &clock = context.clock()] { return StorageStatus(clock); });
    return absl::OkStatus();
  }

  absl::Status Start(app::Context& context) override {
    const config::Values& config = context.config();
    ASSIGN_OR_RETURN(OpenedStorage opened,
                     OpenEventStorage(OptionsFrom(config), context.clock(), context.random()));
    storage_ = std::move(opened.storage);
    feed_ = std::make_unique<CommitFeed>(*storage_, context.bus());
    CommitterOptions options;
    options.writers = opened.writers;
    options.writer.halves = opened.halves;
    options.writer.batches.batch_items_max = static_cast<std::size_t>(config.Get(kBatchItemsMax));
    options.writer.batches.queued_items_max = static_cast<std::size_t>(config.Get(kQueuedItemsMax));
    options.writer.cache.streams_bytes_max = static_cast<std::size_t>(config.Get(kCacheBytes));
    committer_ = std::make_unique<Committer>(*storage_, context.clock(), context.random(), *feed_,
                                             *metrics_, options);
    store_ = std::make_unique<EventStore>(*storage_, *committer_);
    metrics_->Watch(*committer_, *feed_);
    if (const auto tail = storage_->TakeTail()) metrics_->TailWas(*tail);
    SetStatus(absl::OkStatus());
    head_check_ = std::make_unique<PeriodicTask>(
        config.Get(kHeadCheckInterval), [this, &clock = context.clock()] { CheckHeads(clock); });
    sweep_ = std::make_unique<PeriodicTask>(
        config.Get(kSweepInterval),
        [this, &clock = context.clock(), window = config.Get(kOperationWindow)] {
          Sweep(absl::ToUnixMillis(clock.Now() - window));
        });
    adapter_->Serve(*store_, *feed_);
    return absl::OkStatus();
  }

  // Appends and reads in flight are finished by the server, which drains next.
  void Drain(absl::Time deadline) override {
    if (adapter_ != nullptr) adapter_->StopSubscriptions(deadline);
  }

 private:
  static OpenOptions OptionsFrom(const config::Values& config) {
    OpenOptions options;
    options.url = config.Get(app::kStorageUrl);
    options.data_dir = config.Get(app::kDataDir);
    options.log_dsns = config.Get(kLogDsns);
    options.log_count = static_cast<uint32_t>(config.Get(kLogCount));
    options.writers = static_cast<int>(config.Get(kWriters));
    options.readers = static_cast<int>(config.Get(kReaders));
    options.sqlite_cache_bytes = config.Get(kSqlitePageCache);
    options.sweep_bytes_max = config.Get(kSweepBytes);
    return options;
  }

  absl::Status StorageStatus(const Clock& clock) {
    absl::MutexLock lock(&mutex_);
    if (asked_at_) RETURN_IF_ERROR(rpc::CheckSilence(clock.Monotonic() - *asked_at_));
    return storage_status_;
  }

  void SetStatus(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    asked_at_.reset();
    storage_status_ = std::move(status);
  }

  // Also tells whether the storage is there, and takes commits.
  void CheckHeads(const Clock& clock) {
    {
      absl::MutexLock lock(&mutex_);
      asked_at_ = clock.Monotonic();
    }
    absl::Status status = storage_->LoadLogs({}).status();
    status.Update(feed_->CheckHeads());  // Of several servers some may answer.
    if (status.ok()) status = storage_->CheckWritable();
    metrics_->StorageChecked(status);
    SetStatus(std::move(status));
    if (const auto pages = storage_->TakePageCache()) metrics_->PagesUsed(*pages);
    if (const auto tail = storage_->TakeTail()) metrics_->TailWas(*tail);
  }

  void Sweep(int64_t before_ms) {
    for (int round = 0; round < kSweepRoundsMax; ++round) {
      const absl::StatusOr<int64_t> swept = storage_->SweepOperations(before_ms, kSweepRowsMax);
      metrics_->StorageChecked(swept.status());
      if (!swept.ok()) return;
      metrics_->Swept(*swept);
      if (*swept < kSweepRowsMax) return;
    }
  }

  absl::Mutex mutex_;
  absl::Status storage_status_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("not yet opened");
  std::optional<absl::Duration> asked_at_ ABSL_GUARDED_BY(mutex_);  // And not answered yet.
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<EventStorage> storage_;
  std::unique_ptr<CommitFeed> feed_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<GrpcAdapter> adapter_;
  std::unique_ptr<PeriodicTask> head_check_;
  std::unique_ptr<PeriodicTask> sweep_;
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<EventStoreModule>(); }

}  // namespace bdcsync::event_store
