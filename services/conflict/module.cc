#include "services/conflict/module.h"

#include <atomic>
#include <memory>
#include <utility>

#include "libs/app/config.h"
#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/rpc/health_probe.h"
#include "libs/rpc/server.h"
#include "libs/rpc/worker_pool.h"
#include "services/conflict/config.h"
#include "services/conflict/decider.h"
#include "services/conflict/grpc_adapter.h"
#include "services/conflict/metrics.h"
#include "services/conflict/recorder.h"
#include "services/conflict/remote/config.h"
#include "services/conflict/remote/open.h"
#include "services/conflict/storage/open.h"

namespace bdcsync::conflict {
namespace {

constexpr int kGrpcPort = 8774;
constexpr int kHttpPort = 8784;

// Asks storage on a worker. Shared, since a question may outlive the module's interest in it.
rpc::HealthProbe::Ask AskOnWorker(std::shared_ptr<ResolutionStorage> storage,
                                  rpc::WorkerPool& workers) {
  return [storage = std::move(storage), &workers](rpc::HealthProbe::Answer answer) {
    auto held = std::make_shared<rpc::HealthProbe::Answer>(std::move(answer));
    if (workers.Submit([storage, held] { (*held)(storage->Ping()); })) return;
    (*held)(absl::UnavailableError("too many requests wait for a worker"));
  };
}

class ConflictModule final : public app::Module {
 public:
  absl::string_view name() const override { return "conflict"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kDecisionsMax);
    schema.Add(kMatchingWorkMax);
    schema.Add(kRecordBatchMax);
    schema.Add(kRecordQueueMax);
    schema.Add(kPostgresConnectionsMax);
    DeclareRemoteConfig(schema);
  }

  absl::Status Configure(app::Context& context) override {
    metrics_ = std::make_unique<Metrics>(context.metrics(), [this] {
      const Service* const service = serving_.load();
      return service == nullptr ? 0.0 : static_cast<double>(service->recorder.queued());
    });
    ASSIGN_OR_RETURN(resolvers_,
                     OpenResolvers(context.config(), {context.clock(), context.random(),
                                                      context.logger(), context.metrics()}));
    context.server().AddService(&adapter_);
    context.AddReadinessCheck("conflict storage", [this] {
      Service* const service = serving_.load();
      return service == nullptr ? absl::UnavailableError("not yet opened") : service->probe.Last();
    });
    return absl::OkStatus();
  }

  absl::Status Start(app::Context& context) override {
    const config::Values& config = context.config();
    ResolutionStorageOptions storage;
    storage.url = config.Get(app::kStorageUrl);
    storage.data_dir = config.Get(app::kDataDir);
    storage.postgres_connections_max = static_cast<int>(config.Get(kPostgresConnectionsMax));
    ASSIGN_OR_RETURN(auto opened, OpenResolutionStorage(storage, context.clock()));
    service_ = std::make_unique<Service>(std::move(opened), *metrics_, context);
    (void)service_->probe.Last();  // Asks; the readiness check tells.
    serving_.store(service_.get());
    adapter_.Serve(service_->domain);
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) override {
    if (resolvers_ != nullptr) resolvers_->registry().Drain(deadline);
    if (service_ != nullptr) service_->recorder.Drain(deadline);
  }

 private:
  static RecorderLimits RecorderLimitsFrom(const config::Values& values) {
    RecorderLimits limits;
    limits.batch_items_max = static_cast<size_t>(values.Get(kRecordBatchMax));
    limits.queue_items_max = static_cast<size_t>(values.Get(kRecordQueueMax));
    return limits;
  }
  static ResolveLimits ResolveLimitsFrom(const config::Values& values) {
    ResolveLimits limits;
    limits.decisions_max = static_cast<size_t>(values.Get(kDecisionsMax));
    limits.matching_work_max = static_cast<size_t>(values.Get(kMatchingWorkMax));
    return limits;
  }

  // All that works once storage is open.
  struct Service {
    Service(std::unique_ptr<ResolutionStorage> opened, Metrics& metrics, app::Context& context)
        : storage(std::move(opened)),
          probe(AskOnWorker(storage, context.workers()), context.clock()),
          recorder(*storage, context.workers(), context.clock(),
                   RecorderLimitsFrom(context.config()),
                   [&metrics](size_t records, absl::Duration duration) {
                     metrics.OnRecorded(records, duration);
                   }),
          decider(recorder, ResolveLimitsFrom(context.config()),
                  [&metrics](const v1::ResolveResult& result) { metrics.OnResolved(result); }) {}

    const std::shared_ptr<ResolutionStorage> storage;  // Shared with the probe's question.
    rpc::HealthProbe probe;
    Recorder recorder;
    Decider decider;
    GrpcAdapter::Domain domain{decider, recorder};
  };

  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Resolvers> resolvers_;
  std::unique_ptr<Service> service_;
  GrpcAdapter adapter_;
  std::atomic<Service*> serving_{nullptr};  // Set when Start is done.
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<ConflictModule>(); }

}  // namespace bdcsync::conflict
