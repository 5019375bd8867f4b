#include "services/device-sync/module.h"

#include <atomic>
#include <memory>
#include <utility>

#include "libs/app/config.h"
#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/rpc/health_probe.h"
#include "libs/rpc/server.h"
#include "libs/rpc/worker_pool.h"
#include "libs/sql/postgres_url.h"
#include "services/device-sync/config.h"
#include "services/device-sync/grpc_adapter.h"
#include "services/device-sync/metrics.h"
#include "services/device-sync/registry.h"
#include "services/device-sync/storage/open.h"

namespace bdcsync::device_sync {
namespace {

constexpr int kGrpcPort = 8775;
constexpr int kHttpPort = 8785;

// Asks storage on a worker.
rpc::HealthProbe::Ask AskOnWorker(DeviceStorage& storage, rpc::WorkerPool& workers) {
  return [&storage, &workers](rpc::HealthProbe::Answer answer) {
    auto held = std::make_shared<rpc::HealthProbe::Answer>(std::move(answer));
    if (workers.Submit([&storage, held] { (*held)(storage.Ping()); })) return;
    (*held)(absl::UnavailableError("too many requests wait for a worker"));
  };
}

class DeviceSyncModule final : public app::Module {
 public:
  absl::string_view name() const override { return "device-sync"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kHeartbeatInterval);
    schema.Add(kDevicesPerUserMax);
    schema.Add(kPostgresConnectionsMax);
  }

  absl::Status CheckConfig(const config::Values& values,
                           std::vector<std::string>& /*warnings*/) const override {
    return sql::CheckStorageUrl(values.Get(app::kStorageUrl));
  }

  absl::Status Configure(app::Context& context) override {
    metrics_ = std::make_unique<Metrics>(context.metrics());
    adapter_ = std::make_unique<GrpcAdapter>(context.workers(), context.bus(), *metrics_);
    adapter_->AddTo(context.server());
    context.AddReadinessCheck("device-sync storage", [this] {
      rpc::HealthProbe* const probe = serving_probe_.load();
      return probe == nullptr ? absl::UnavailableError("not yet opened") : probe->Last();
    });
    context.OnConfigChange([this](const config::Values& values) {
      if (Registry* const registry = serving_registry_.load()) {
        registry->set_heartbeat_interval(values.Get(kHeartbeatInterval));
      }
    });
    return absl::OkStatus();
  }

  absl::Status Start(app::Context& context) override {
    const config::Values& config = context.config();
    DeviceStorageOptions storage;
    storage.url = config.Get(app::kStorageUrl);
    storage.data_dir = config.Get(app::kDataDir);
    storage.postgres_connections_max = static_cast<int>(config.Get(kPostgresConnectionsMax));
    ASSIGN_OR_RETURN(storage_, OpenDeviceStorage(storage, context.clock()));

    RegistryOptions options;
    options.heartbeat_interval = config.Get(kHeartbeatInterval);
    options.devices_per_user_max = config.Get(kDevicesPerUserMax);
    registry_ = std::make_unique<Registry>(*storage_, context.clock(), options);
    probe_ = std::make_unique<rpc::HealthProbe>(AskOnWorker(*storage_, context.workers()),
                                                context.clock(), /*known=*/absl::OkStatus());
    serving_registry_.store(registry_.get());
    serving_probe_.store(probe_.get());
    adapter_->Serve(*registry_);
    return absl::OkStatus();
  }

  // Calls in flight are finished by the server, which drains next.
  void Drain(absl::Time /*deadline*/) override {}

 private:
  std::unique_ptr<DeviceStorage> storage_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<rpc::HealthProbe> probe_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<GrpcAdapter> adapter_;
  std::atomic<Registry*> serving_registry_{nullptr};  // Set when Start is done.
  std::atomic<rpc::HealthProbe*> serving_probe_{nullptr};
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<DeviceSyncModule>(); }

}  // namespace bdcsync::device_sync
