#include "libs/app/app.h"

#include <grpcpp/channel.h>

#include <filesystem>
#include <system_error>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/app/config.h"
#include "libs/app/file_watch.h"
#include "libs/app/http_listener.h"
#include "libs/app/live_config.h"
#include "libs/app/process_metrics.h"
#include "libs/app/readiness.h"
#include "libs/app/starter.h"
#include "libs/app/tls_files.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/bus/open.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/config.h"
#include "libs/rpc/grpc_log.h"
#include "libs/rpc/hung_peers.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::app {
namespace {

constexpr absl::Duration kFailedStartDrain = absl::Seconds(1);
constexpr absl::Duration kCallsEndMax = absl::Seconds(1);
constexpr absl::Duration kBusWarningInterval = absl::Seconds(10);
constexpr metrics::MetricInfo kCertificateExpires{
    "bdcsync_tls_certificate_expires_seconds",
    "When the certificate in use expires, in seconds since 1970-01-01 UTC."};

const SystemClock& RealClock() {
  static const SystemClock clock;  // Stateless.
  return clock;
}

std::string ServiceLabel(const Modules& modules) {
  return modules.size() == 1 ? std::string(modules.front()->name()) : "bdc-sync";
}

log::Logger MakeLogger(const config::Values& values, const std::string& service,
                       const Clock& clock) {
  const std::string format = values.Get(kLogFormat);
  const log::Format parsed = format == "json"   ? log::Format::kJson
                             : format == "text" ? log::Format::kText
                                                : log::Format::kAuto;
  const auto level = log::LevelFromName(values.Get(kLogLevel));
  return log::Logger(log::MakeStderrSink(parsed), service, clock,
                     level.value_or(log::Level::kInfo));
}

absl::Status Named(absl::string_view module, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(module, ": ", status.message()));
}

absl::Status CreateDataDir(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot create the data folder ", path, " (",
                                             error.message(),
                                             "): set data_dir to one that this "
                                             "process may write"));
}

rpc::ServerOptions ServerOptionsOf(const config::Values& values, bool whole_suite,
                                   rpc::SocketLoops& loops) {
  rpc::ServerOptions options = rpc::ServerOptionsFrom(values, values.Get(kListenAddress),
                                                      static_cast<int>(values.Get(kGrpcPort)));
  options.suite_within = whole_suite;
  if (values.Get(rpc::kStreams)) options.loops = &loops;
  return options;
}

rpc::ChannelOptions ChannelOptionsOf(const config::Values& values, rpc::SocketLoops& loops,
                                     rpc::HungPeers& hung_peers) {
  rpc::ChannelOptions options = rpc::ChannelOptionsFrom(values);
  options.hung_peers = &hung_peers;
  if (values.Get(rpc::kStreams)) options.loops = &loops;
  return options;
}

}  // namespace

config::Schema SchemaFor(const Modules& modules) {
  config::Schema schema;
  DeclareConfig(schema, modules.back()->default_ports());
  for (const auto& module : modules) module->DeclareConfig(schema);
  return schema;
}

absl::Status CheckConfig(const Modules& modules, const config::Values& values,
                         std::vector<std::string>& warnings) {
  std::vector<std::string> mistakes;
  for (const absl::Status& checked :
       {bus::CheckBusUrl(values.Get(kBusUrl)),
        bus::CheckChannelPrefix(values.Get(kBusChannelPrefix)), rpc::CheckAddresses(values)}) {
    if (!checked.ok()) mistakes.emplace_back(checked.message());
  }
  for (const auto& module : modules) {
    const absl::Status checked = Named(module->name(), module->CheckConfig(values, warnings));
    if (!checked.ok()) mistakes.emplace_back(checked.message());
  }
  if (mistakes.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
}

// Everything the process has, in the order in which it must come and go.
class App::Host final : public Context {
 public:
  Host(Modules modules, config::Values values, const Environment& environment)
      : values_(std::move(values)),
        before_ready_(environment.before_ready),
        on_ready_(environment.on_ready),
        on_start_failed_(environment.on_start_failed),
        clock_(environment.clock != nullptr ? *environment.clock : RealClock()),
        random_(environment.random != nullptr ? *environment.random : system_random_),
        logger_(environment.logger != nullptr ? *environment.logger
                                              : MakeLogger(values_, ServiceLabel(modules), clock_)),
        bus_warnings_(clock_, kBusWarningInterval),
        file_watch_(values_.Get(rpc::kTlsReloadInterval), logger_, metrics_),
        live_config_(SchemaFor(modules), values_, clock_, logger_,
                     [this](const config::Values& changed) { ApplyConfig(changed); }),
        workers_({.threads = static_cast<std::size_t>(values_.Get(kWorkerThreads)),
                  .queued_max = static_cast<std::size_t>(values_.Get(kWorkerQueueMax))}),
        server_(ServerOptionsOf(values_, environment.whole_suite, loops_), metrics_, logger_),
        hung_peers_(metrics_, logger_),
        channels_(ChannelOptionsOf(values_, loops_, hung_peers_)),
        modules_(std::move(modules)) {
    if (environment.logger == nullptr) rpc::SendGrpcLogsTo(logger_);
  }

  ~Host() override {
    Drain(absl::InfinitePast());
    // Calls that Drain broke off reach a module once more when they end.
    server_.AwaitIdle(SystemClock().Now() + kCallsEndMax);
    while (!modules_.empty()) {
      modules_.pop_back();
      // What it called in this process ends before the module that answers is destroyed.
      server_.AwaitIdle(SystemClock().Now() + kCallsEndMax);
    }
  }

  absl::Status Start() {
    std::vector<std::string> warnings;
    RETURN_IF_ERROR(CheckConfig(modules_, values_, warnings));
    for (const std::string& warning : warnings) logger_.Warn(warning);
    RETURN_IF_ERROR(CreateDataDir(values_.Get(kDataDir)));
    RETURN_IF_ERROR(OpenBus());
    RETURN_IF_ERROR(OpenHttpTls());
    AddRoutes();
    AddProcessMetrics(metrics_, clock_);
    AddWorkerMetrics(metrics_, workers_);
    AddReadinessMetric(metrics_, ServiceLabel(modules_), readiness_);
    for (const auto& module : modules_) {
      RETURN_IF_ERROR(Named(module->name(), module->Configure(*this)));
    }
    RETURN_IF_ERROR(server_.Start());
    const std::string address = values_.Get(kListenAddress);
    RETURN_IF_ERROR(
        http_.Start(address, static_cast<int>(values_.Get(kHttpPort)), http_tls_.get()));
    for (const auto& module : modules_) {
      channels_.AddInProcess(module->name(), server_.InProcess());
    }
    std::vector<Module*> modules;
    for (const auto& module : modules_) modules.push_back(module.get());
    starter_ = std::make_unique<Starter>(*this, modules,
                                         StarterCallbacks{[this] { OnStarted(); },
                                                          [this](absl::Status status) {
                                                            if (on_start_failed_)
                                                              on_start_failed_(status);
                                                          }});
    RETURN_IF_ERROR(starter_->TryAll());
    live_config_.Join(*bus_);
    if (before_ready_) before_ready_();
    starter_->Continue();
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) {
    if (std::exchange(drained_, true)) return;
    std::vector<Module*> started;
    if (starter_ != nullptr) started = starter_->Stop();
    live_config_.Leave();
    readiness_.SetPhase(Readiness::Phase::kDraining);
    server_.SetServing(false);
    // The order of the modules, not of the starts: a later one may call an earlier one.
    for (auto module = modules_.rbegin(); module != modules_.rend(); ++module) {
      if (absl::c_linear_search(started, module->get())) (*module)->Drain(deadline);
    }
    server_.Drain(deadline);
    workers_.Stop();
    http_.Stop();
    file_watch_.Stop();
    logger_.Flush();
  }

  absl::StatusOr<config::Reload> Reload(const config::Values& loaded) {
    std::vector<std::string> of_next_start;  // Told when it comes.
    RETURN_IF_ERROR(CheckConfig(modules_, loaded, of_next_start));
    std::vector<std::string> warnings;
    RETURN_IF_ERROR(CheckConfig(modules_, live_config_.Compare(loaded).values, warnings));
    for (const std::string& warning : warnings) logger_.Warn(warning);
    file_watch_.LookNow();
    return live_config_.SetLoaded(loaded);
  }

  void ApplyConfig(const config::Values& values) {
    const auto level = log::LevelFromName(values.Get(kLogLevel));
    if (level.has_value()) logger_.SetLevel(*level);
    std::vector<std::function<void(const config::Values&)>> callbacks;
    {
      absl::MutexLock lock(&mutex_);
      callbacks = config_callbacks_;
    }
    for (const auto& callback : callbacks) callback(values);
  }

  int grpc_port() const { return server_.port(); }
  int http_port() const { return http_.port(); }
  absl::Status Readiness() const { return readiness_.Get(); }

  const config::Values& config() const override { return values_; }
  absl::StatusOr<std::map<std::string, std::string>> ChangeConfig(
      const std::map<std::string, std::string>& changes) override {
    return live_config_.Change(changes);
  }
  void OnConfigChange(std::function<void(const config::Values&)> callback) override {
    absl::MutexLock lock(&mutex_);
    config_callbacks_.push_back(std::move(callback));
  }
  const Clock& clock() const override { return clock_; }
  Random& random() override { return random_; }
  log::Logger& logger() override { return logger_; }
  metrics::Registry& metrics() override { return metrics_; }
  bus::Bus& bus() override { return *bus_; }
  rpc::Server& server() override { return server_; }
  rpc::Channels& channels() override { return channels_; }
  rpc::WorkerPool& workers() override { return workers_; }
  void AddReadinessCheck(absl::string_view name, std::function<absl::Status()> check) override {
    AddCheck(name, /*required=*/true, std::move(check));
  }
  void WatchTls(absl::string_view listener, TlsFiles& files) override {
    file_watch_.Add(absl::StrCat(listener, " certificate"), [&files] { return files.Reload(); });
    metrics_.AddGaugeCallback(kCertificateExpires, {{"listener", std::string(listener)}}, [&files] {
      return absl::ToDoubleSeconds(files.expires() - absl::UnixEpoch());
    });
  }
  void AddHttpRoute(absl::string_view method, absl::string_view path,
                    HttpHandler handler) override {
    http_.AddRoute(method, path, std::move(handler));
  }

 private:
  void AddCheck(absl::string_view name, bool required, std::function<absl::Status()> check) {
    readiness_.AddCheck(name, required, check);
    AddReadinessCheckMetric(metrics_, std::string(name), std::move(check));
  }

  absl::Status OpenBus() {
    bus::BusOptions options;
    options.channel_prefix = values_.Get(kBusChannelPrefix);
    options.random = &random_;
    options.on_connection_change = [this](const absl::Status& status) { OnBusChange(status); };
    ASSIGN_OR_RETURN(bus_, bus::OpenBus(values_.Get(kBusUrl), std::move(options)));
    AddBusMetrics(metrics_, *bus_);
    // Without the bus everything still works, only later: it must not take the process out of
    // service.
    AddCheck("bus", /*required=*/false, [this] { return bus_->Health(); });
    return absl::OkStatus();
  }

  absl::Status OpenHttpTls() {
    ASSIGN_OR_RETURN(http_tls_,
                     TlsFiles::Open({.section = "http.tls",
                                     .cert_file = values_.Get(kHttpTlsCertFile),
                                     .key_file = values_.Get(kHttpTlsKeyFile),
                                     .client_ca_file = values_.Get(kHttpTlsClientCaFile)}));
    if (http_tls_ != nullptr) WatchTls("http", *http_tls_);
    return absl::OkStatus();
  }

  void OnBusChange(const absl::Status& status) {
    if (status.ok()) {
      logger_.Info("the bus is connected");
    } else if (const auto held_back = bus_warnings_.Allow(); held_back.has_value()) {
      logger_.Warn("the bus is not connected",
                   {{"reason", status.message()}, {"suppressed", *held_back}});
    }
  }

  void OnStarted() {
    server_.SetServing(true);
    readiness_.SetPhase(Readiness::Phase::kServing);
    if (on_ready_) on_ready_();
  }

  void AddRoutes() {
    http_.AddRoute("GET", "/healthz", [](const HttpRequest&) {
      return HttpResponse{200, "text/plain; charset=utf-8", "ok\n"};
    });
    http_.AddRoute("GET", "/readyz", [this](const HttpRequest&) {
      return HttpResponse{readiness_.Get().ok() ? 200 : 503, "application/json",
                          readiness_.ToJson()};
    });
    if (!values_.Get(kEnableMetrics)) return;
    http_.AddRoute("GET", "/metrics", [this](const HttpRequest&) {
      return HttpResponse{200, "text/plain; version=0.0.4; charset=utf-8", metrics_.Render()};
    });
  }

  const config::Values values_;
  const std::function<void()> before_ready_;
  const std::function<void()> on_ready_;
  const std::function<void(const absl::Status&)> on_start_failed_;
  const Clock& clock_;
  SystemRandom system_random_;
  Random& random_;
  log::Logger logger_;
  log::Throttle bus_warnings_;
  metrics::Registry metrics_;
  app::Readiness readiness_;
  FileWatch file_watch_;
  std::unique_ptr<TlsFiles> http_tls_;  // Null: no TLS.
  absl::Mutex mutex_;
  std::vector<std::function<void(const config::Values&)>> config_callbacks_ ABSL_GUARDED_BY(mutex_);
  LiveConfig live_config_;
  std::unique_ptr<bus::Bus> bus_;
  rpc::WorkerPool workers_;
  rpc::SocketLoops loops_;
  rpc::Server server_;
  rpc::HungPeers hung_peers_;
  rpc::Channels channels_;
  HttpListener http_;
  Modules modules_;
  std::unique_ptr<Starter> starter_;  // Null until Start.
  bool drained_ = false;
};

App::App(std::unique_ptr<Host> host) : host_(std::move(host)) {}
App::~App() = default;

absl::StatusOr<std::unique_ptr<App>> App::Start(Modules modules, config::Values values,
                                                Environment environment) {
  auto host = std::make_unique<Host>(std::move(modules), std::move(values), environment);
  const absl::Status started = host->Start();
  if (!started.ok()) {
    host->Drain(SystemClock().Now() + kFailedStartDrain);
    return started;
  }
  return std::unique_ptr<App>(new App(std::move(host)));
}

Context& App::context() { return *host_; }
int App::grpc_port() const { return host_->grpc_port(); }
int App::http_port() const { return host_->http_port(); }
std::string App::grpc_address() const { return absl::StrCat("127.0.0.1:", grpc_port()); }
std::shared_ptr<grpc::Channel> App::channel() { return host_->server().InProcessChannel(); }
absl::Status App::Readiness() const { return host_->Readiness(); }
absl::StatusOr<config::Reload> App::Reload(const config::Values& loaded) {
  return host_->Reload(loaded);
}
void App::Drain(absl::Time deadline) { host_->Drain(deadline); }

absl::StatusOr<config::Values> TestValues(
    const Modules& modules, absl::string_view dir,
    const std::vector<std::pair<std::string, std::string>>& settings) {
  const config::Schema schema = SchemaFor(modules);
  config::ValuesBuilder builder(schema);
  builder.Set(kDataDir.name, dir);
  for (const config::Key& key : schema.keys()) {
    if (absl::EndsWith(key.name, ".port")) builder.Set(key.name, "0");
  }
  for (const auto& [name, text] : settings) builder.Set(name, text);
  return builder.Build();
}

}  // namespace bdcsync::app
