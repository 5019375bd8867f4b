#include "services/device-sync/module.h"

#include <atomic>
#include <utility>

#include "libs/app/config.h"
#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/rpc/server.h"
#include "libs/rpc/worker_pool.h"
#include "services/device-sync/config.h"
#include "services/device-sync/grpc_adapter.h"
#include "services/device-sync/metrics.h"
#include "services/device-sync/registry.h"
#include "services/device-sync/storage/open.h"
#include "services/device-sync/storage_probe.h"

namespace bdcsync::device_sync {
namespace {

constexpr int kGrpcPort = 8775;
constexpr int kHttpPort = 8785;

class DeviceSyncModule final : public app::Module {
 public:
  absl::string_view name() const override { return "device-sync"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kHeartbeatInterval);
    schema.Add(kDevicesPerUserMax);
    schema.Add(kPostgresConnectionsMax);
  }

  absl::Status Configure(app::Context& context) override {
    metrics_ = std::make_unique<Metrics>(context.metrics());
    adapter_ = std::make_unique<GrpcAdapter>(context.workers(), context.bus(), *metrics_);
    adapter_->AddTo(context.server());
    context.AddReadinessCheck("device-sync storage", [this] {
      StorageProbe* const probe = serving_probe_.load();
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
    rpc::WorkerPool& workers = context.workers();
    probe_ = std::make_unique<StorageProbe>(
        [this] { return storage_->Ping(); },
        [&workers](absl::AnyInvocable<void()> task) { return workers.Submit(std::move(task)); },
        context.clock());
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
  std::unique_ptr<StorageProbe> probe_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<GrpcAdapter> adapter_;
  std::atomic<Registry*> serving_registry_{nullptr};  // Set when Start is done.
  std::atomic<StorageProbe*> serving_probe_{nullptr};
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<DeviceSyncModule>(); }

}  // namespace bdcsync::device_sync
