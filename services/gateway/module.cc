#include "services/gateway/module.h"

#include <atomic>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/app/config.h"
#include "libs/app/context.h"
#include "libs/app/tls_files.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/base/stop_signal.h"
#include "libs/base/suite_version.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/health_probe.h"
#include "libs/rpc/server.h"
#include "libs/rpc/worker_pool.h"
#include "services/gateway/access_news.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/config.h"
#include "services/gateway/config_check.h"
#include "services/gateway/desk_services.h"
#include "services/gateway/grpc/admin_service.h"
#include "services/gateway/grpc/conflict_desk_service.h"
#include "services/gateway/grpc/device_sync_client.h"
#include "services/gateway/grpc/event_store_client.h"
#include "services/gateway/grpc/sync_service.h"
#include "services/gateway/grpc/version_client.h"
#include "services/gateway/loop_services.h"
#include "services/gateway/metrics.h"
#include "services/gateway/options.h"
#include "services/gateway/pipeline/audit.h"
#include "services/gateway/pipeline/device_reporter.h"
#include "services/gateway/pipeline/entity_reader.h"
#include "services/gateway/session/session_channel.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/spool/spool_admin.h"
#include "services/gateway/websocket/server.h"

namespace bdcsync::gateway {
namespace {

constexpr int kGrpcPort = 8766;
constexpr int kHttpPort = 8767;
constexpr absl::Duration kIdleCheckInterval = absl::Milliseconds(2);

constexpr metrics::MetricInfo kCommitQueueMetric{"bdcsync_gateway_commit_queue_items",
                                                 "Operations that wait for a commit."};
constexpr metrics::MetricInfo kRegistrationsMetric{"bdcsync_gateway_registrations_waiting",
                                                   "Devices that wait to be registered."};
constexpr metrics::MetricInfo kWatchesMetric{"bdcsync_gateway_watches",
                                             "Open watch streams of SyncService."};

// Says which service it is that does not answer.
absl::Status Needed(absl::string_view service, const absl::Status& answer) {
  if (answer.ok()) return answer;
  return absl::Status(answer.code(), absl::StrCat(service, ": ", answer.message()));
}

// Runs `task` on the loop and waits for it.
void RunOn(Loop& loop, absl::AnyInvocable<void()> task) {
  absl::Notification done;
  loop.Post([&] {
    task();
    done.Notify();
  });
  done.WaitForNotification();
}

absl::StatusOr<std::unique_ptr<queue::DurableQueue>> OpenSpool(app::Context& context) {
  const std::string folder = SpoolFolder(context.config());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make the folder ", folder, " (", error.message(),
                     "): set offline.storage_path to one that this process may write"));
  }
  return queue::DurableQueue::Open(absl::StrCat(folder, "/operations.db"),
                                   QueueLimitsFrom(context.config()), context.clock(),
                                   context.random());
}

// All that works once other services can be called; the parts below rest on those above.
class Gateway {
 public:
  struct Peers {
    std::vector<rpc::Peer> version, event_store, device_sync, conflict;
  };

  Gateway(app::Context& context, Metrics& metrics, KeyRing& keys, const Peers& peers,
          std::unique_ptr<queue::DurableQueue> queue, std::unique_ptr<WebSocketServer> server)
      : context_(context),
        metrics_(metrics),
        keys_(keys),
        verifier_(keys, context.clock()),
        version_(peers.version, context.config().Get(kCommitTimeout)),
        events_(peers.event_store, context.config().Get(kCommitTimeout)),
        device_sync_(peers.device_sync, context.config().Get(kCommitTimeout)),
        version_probe_([this](auto answer) { version_.Ping(std::move(answer)); }, context.clock()),
        events_probe_([this](auto answer) { events_.Ping(std::move(answer)); }, context.clock()),
        device_sync_probe_([this](auto answer) { device_sync_.Ping(std::move(answer)); },
                           context.clock()),
        standing_(device_sync_, context.clock(), context.metrics(),
                  DeviceStandingLimitsFrom(context.config())),
        access_(context.clock(),
                {[this](absl::string_view session) { return directory_.CallerOf(session); },
                 [this](absl::string_view user, absl::string_view device) {
                   return standing_.KnownRevoked(user, device);
                 }},
                KnownAccessLimitsFrom(context.config())),
        news_(directory_, standing_, access_,
              [this](const auto& device) {
                if (WatchHost* const watches = watching_.load()) {
                  watches->EndDevice(device, MakeError(Reason::kForbidden, kDeviceRevoked));
                }
              }),
        sessions_(context.bus(), directory_),
        audit_(context.logger()),
        server_(std::move(server)),
        reads_(version_, events_, metrics.pipeline, ReadLimitsFrom(context.config())),
        devices_(device_sync_, *server_->loops().front(), context.random(), context.logger(),
                 context.metrics(), DeviceReportLimits(),
                 [this](const auto& device) { directory_.OnRevoked(device); }),
        spool_(std::move(queue),
               {version_, directory_, context.clock(), context.random(), context.logger(),
                metrics.spool, access_},
               SpoolLimitsFrom(context.config())),
        spool_admin_(spool_, metrics.spool),
        pipeline_({version_, spool_, context.clock(), context.random(), metrics.pipeline,
                   context.logger(), MiddlewareOf(context.config())},
                  PipelineLimitsFrom(context.config())),
        desk_(context, peers.conflict, context.config().Get(kCommitTimeout), version_,
              pipeline_.rate_limiter(), *server_->loops().front(),
              ConflictWorkerOptionsFrom(context.config()), metrics.conflicts) {
    const SharedServices shared{
        events_,      context.bus(), context.clock(),  context.random(), verifier_,
        pipeline_,    reads_,        desk_.desk(),     devices_,         directory_,
        metrics.feed, metrics.live,  metrics.sessions, context.logger()};
    std::vector<WatchHost::Feed> feeds;
    for (Loop* loop : server_->loops()) {
      RunOn(*loop, [&] {
        loops_.push_back(std::make_unique<LoopServices>(
            *loop, shared, FeedLimitsFrom(context.config()), LiveLimitsFrom(context.config()),
            SessionOptionsFrom(context.config())));
      });
      feeds.push_back({loop, &loops_.back()->engine()});
    }
    watches_ =
        std::make_unique<WatchHost>(std::move(feeds), context.clock(),
                                    static_cast<size_t>(context.config().Get(kQueuedBytesHigh)));
    watching_.store(watches_.get());
    MakeServices();
    (void)Readiness();  // Asks; the readiness check tells.
  }
  ~Gateway() { Stop(context_.clock().Now()); }

  absl::Status Start() {
    devices_.Start();
    desk_.worker().Start();
    WatchKeysOn(*server_->loops().front());
    std::vector<HandlerFactory> factories;
    for (const auto& loop : loops_) factories.push_back(loop->handler_factory());
    return server_->Start(std::move(factories));
  }

  void Drain(absl::Time deadline) {
    desk_.worker().Stop();
    server_->Drain(deadline);
    watches_->Shutdown(absl::UnavailableError("the gateway is stopping: call again"));
    devices_.Flush();
    while (!(pipeline_.idle() && desk_.worker().idle()) && context_.clock().Now() < deadline) {
      StopSignal().WaitFor(kIdleCheckInterval);
    }
    spool_.Stop();
  }

  // OK when reads work, and writes have worked once: later they are stored when they do not.
  absl::Status Readiness() {
    const absl::Status version = version_probe_.Last();
    if (version.ok()) version_seen_.store(true);
    // Only told by GetStatus: sessions go on without them.
    (void)device_sync_probe_.Last();
    (void)desk_.Health();
    RETURN_IF_ERROR(Needed("event-store", events_probe_.Last()));
    return version_seen_.load() ? absl::OkStatus() : Needed("version", version);
  }

  void SetLimits(const config::Values& values) {
    keys_.SetSecret(values.Get(kJwtSecret));
    pipeline_.rate_limiter().SetLimits(static_cast<double>(values.Get(kOperationsPerSecond)),
                                       static_cast<double>(values.Get(kOperationsBurst)));
    server_->SetHeartbeatInterval(values.Get(kHeartbeatInterval));
    for (size_t i = 0; i < loops_.size(); ++i) {
      server_->loops()[i]->Post([&loop = *loops_[i], options = SessionOptionsFrom(values)] {
        loop.SetSessionOptions(options);
      });
    }
  }

  const SyncServiceDependencies& sync() const { return *sync_; }
  const AdminServiceDependencies& admin() const { return *admin_; }
  const ConflictDeskDependencies& conflicts() const { return *conflicts_; }
  WebSocketServer& server() const { return *server_; }
  size_t commit_queue() const { return pipeline_.queued(); }
  size_t registrations_waiting() const { return devices_.registrations_waiting(); }
  size_t watches() const { return watches_->size(); }

 private:
  // What the gRPC services answer from.
  void MakeServices() {
    const config::Values& config = context_.config();
    sync_ = std::make_unique<SyncServiceDependencies>(SyncServiceDependencies{
        verifier_, pipeline_, reads_, device_sync_, standing_, news_, *watches_, metrics_.sessions,
        [this] { return Status(); }, static_cast<size_t>(config.Get(kJsonDepth)),
        static_cast<int>(config.Get(kOperationsPerBatch)), config.Get(kRequireAuthentication)});
    conflicts_ = std::make_unique<ConflictDeskDependencies>(
        ConflictDeskDependencies{{verifier_, standing_, news_, config.Get(kRequireAuthentication)},
                                 desk_.desk(),
                                 static_cast<size_t>(config.Get(kJsonDepth))});
    admin_ = std::make_unique<AdminServiceDependencies>(AdminServiceDependencies{
        {verifier_, standing_, news_, config.Get(kRequireAuthentication)},
        spool_admin_,
        [this](const auto& changes) { return context_.ChangeConfig(changes); },
        context_.logger()});
  }

  std::vector<OperationMiddleware*> MiddlewareOf(const config::Values& values) {
    if (!values.Get(kAuditWrites)) return {};
    return {&audit_};
  }

  // Looks at the folder of keys now and then, on a worker: it reads files.
  void WatchKeysOn(Loop& loop) {
    if (context_.config().Get(kJwtKeysDir).empty()) return;
    loop.Post([this, &loop] { WatchKeys(loop); });
  }
  void WatchKeys(Loop& loop) {
    loop.RunAfter(context_.config().Get(kJwtKeysInterval), [this, &loop] {
      const bool queued = context_.workers().Submit([&keys = keys_, &logger = context_.logger()] {
        if (const absl::Status read = keys.ReloadIfChanged(); !read.ok()) {
          logger.Error("the keys of tokens cannot be read; those known before stay",
                       {{"error", read.message()}});
        }
      });
      if (!queued) context_.logger().Warn("the keys of tokens were not looked at: no worker");
      WatchKeys(loop);
    });
  }

  sync::v1::GetStatusResponse Status() {
    sync::v1::GetStatusResponse status;
    status.set_version(kSuiteVersion);
    const auto add = [&status](absl::string_view name, const absl::Status& answer) {
      sync::v1::ServiceStatus& service = *status.add_services();
      service.set_name(std::string(name));
      service.set_ready(answer.ok());
      if (!answer.ok()) service.set_detail(std::string(answer.message()));
    };
    add("version", version_probe_.Last());
    add("event-store", events_probe_.Last());
    add("device-sync", device_sync_probe_.Last());
    add("conflict", desk_.Health());
    status.set_sessions(static_cast<int64_t>(directory_.size()));
    status.set_subscriptions(static_cast<int64_t>(metrics_.feed.subscriptions.value()));
    status.set_queued_operations(static_cast<int64_t>(spool_.waiting()));
    return status;
  }

  void Stop(absl::Time deadline) {
    desk_.worker().Stop();
    server_->Drain(deadline);
    watches_->Shutdown(absl::UnavailableError("the gateway is stopping: call again"));
    // From here on no callback of another service runs.
    version_.Shutdown();
    events_.Shutdown();
    device_sync_.Shutdown();
    desk_.Shutdown();
    spool_.Stop();
    for (size_t i = 0; i < loops_.size(); ++i) {
      RunOn(*server_->loops()[i], [&loop = loops_[i]] { loop.reset(); });
    }
    server_.reset();
  }

  app::Context& context_;
  Metrics& metrics_;
  KeyRing& keys_;
  TokenVerifier verifier_;
  SessionDirectory directory_;
  GrpcVersionClient version_;
  EventStoreClient events_;
  DeviceSyncClient device_sync_;
  rpc::HealthProbe version_probe_, events_probe_, device_sync_probe_;
  DeviceStanding standing_;
  KnownAccess access_;
  std::unique_ptr<WatchHost> watches_;
  std::atomic<WatchHost*> watching_{nullptr};  // The same, once it is there.
  AccessNews news_;
  SessionChannel sessions_;
  Audit audit_;
  std::unique_ptr<WebSocketServer> server_;
  EntityReader reads_;
  DeviceReporter devices_;
  Spool spool_;
  SpoolAdmin spool_admin_;
  CommitPipeline pipeline_;
  DeskServices desk_;
  std::vector<std::unique_ptr<LoopServices>> loops_;
  std::unique_ptr<SyncServiceDependencies> sync_;
  std::unique_ptr<ConflictDeskDependencies> conflicts_;
  std::unique_ptr<AdminServiceDependencies> admin_;
  std::atomic<bool> version_seen_{false};
};

class GatewayModule final : public app::Module {
 public:
  absl::string_view name() const override { return "gateway"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override { DeclareGatewayConfig(schema); }
  absl::Status CheckConfig(const config::Values& values,
                           std::vector<std::string>& warnings) const override {
    return CheckGatewayConfig(values, warnings);
  }

  absl::Status Configure(app::Context& context) override {
    const config::Values& config = context.config();
    metrics_ = std::make_unique<Metrics>(context.metrics(), context.clock());
    keys_ = std::make_unique<KeyRing>(config.Get(kJwtSecret), config.Get(kJwtKeysDir));
    RETURN_IF_ERROR(keys_->Reload());
    context.server().AddService(&service_);
    context.server().AddService(&conflict_service_);
    context.server().AddService(&admin_service_);
    context.AddReadinessCheck("gateway", [this] {
      Gateway* const gateway = serving_.load();
      return gateway == nullptr ? absl::UnavailableError("not yet started") : gateway->Readiness();
    });
    context.OnConfigChange([this](const config::Values& values) {
      if (Gateway* const gateway = serving_.load()) gateway->SetLimits(values);
    });
    context.metrics().AddGaugeCallback(kCommitQueueMetric, {}, [this] {
      const Gateway* const gateway = serving_.load();
      return gateway == nullptr ? 0.0 : static_cast<double>(gateway->commit_queue());
    });
    context.metrics().AddGaugeCallback(kRegistrationsMetric, {}, [this] {
      const Gateway* const gateway = serving_.load();
      return gateway == nullptr ? 0.0 : static_cast<double>(gateway->registrations_waiting());
    });
    context.metrics().AddGaugeCallback(kWatchesMetric, {}, [this] {
      const Gateway* const gateway = serving_.load();
      return gateway == nullptr ? 0.0 : static_cast<double>(gateway->watches());
    });
    return absl::OkStatus();
  }

  absl::Status Start(app::Context& context) override {
    Gateway::Peers peers;
    ASSIGN_OR_RETURN(peers.version, context.channels().Get("version"));
    ASSIGN_OR_RETURN(peers.event_store, context.channels().Get("event-store"));
    ASSIGN_OR_RETURN(peers.device_sync, context.channels().Get("device-sync"));
    ASSIGN_OR_RETURN(peers.conflict, context.channels().Get("conflict"));
    ASSIGN_OR_RETURN(auto queue, OpenSpool(context));
    ASSIGN_OR_RETURN(auto server,
                     MakeWebSocketServer(ServerOptionsFrom(context.config()), context.clock(),
                                         metrics_->transport, context.logger()));
    gateway_ = std::make_unique<Gateway>(context, *metrics_, *keys_, peers, std::move(queue),
                                         std::move(server));
    RETURN_IF_ERROR(gateway_->Start());
    serving_.store(gateway_.get());
    service_.Serve(&gateway_->sync());
    conflict_service_.Serve(&gateway_->conflicts());
    admin_service_.Serve(&gateway_->admin());
    if (app::TlsFiles* const tls = gateway_->server().tls()) context.WatchTls("websocket", *tls);
    context.logger().Info("WebSocket clients are served",
                          {{"websocket_port", gateway_->server().port()}});
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) override {
    service_.Stop();
    conflict_service_.Stop();
    admin_service_.Stop();
    if (gateway_ != nullptr) gateway_->Drain(deadline);
  }

  ~GatewayModule() override {
    serving_.store(nullptr);
    gateway_.reset();
  }

 private:
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<KeyRing> keys_;
  SyncService service_;
  ConflictDeskService conflict_service_;
  AdminService admin_service_;
  std::unique_ptr<Gateway> gateway_;
  std::atomic<Gateway*> serving_{nullptr};  // Set when Start is done.
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<GatewayModule>(); }

}  // namespace bdcsync::gateway
