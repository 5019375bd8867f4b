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
#include "libs/sql/postgres_url.h"
#include "services/conflict/config.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/decider.h"
#include "services/conflict/desk_config.h"
#include "services/conflict/desk_watch.h"
#include "services/conflict/grpc_adapter.h"
#include "services/conflict/metrics.h"
#include "services/conflict/record_desk.h"
#include "services/conflict/recorder.h"
#include "services/conflict/remote/config.h"
#include "services/conflict/remote/open.h"
#include "services/conflict/remote/remote_rounds.h"
#include "services/conflict/rule_merger.h"
#include "services/conflict/rule_set_registry.h"
#include "services/conflict/rules_watch.h"
#include "services/conflict/storage/open.h"

namespace bdcsync::conflict {
namespace {

constexpr int kGrpcPort = 8774;
constexpr int kHttpPort = 8784;
constexpr absl::Duration kScriptWarningInterval = absl::Minutes(1);

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
    schema.Add(kClockSkewMax);
    schema.Add(kAskDeadline);
    schema.Add(kAskFallback);
    schema.Add(kRulesFile);
    schema.Add(kRulesRefreshInterval);
    schema.Add(kRuleTypesMax);
    schema.Add(kScriptInstructionsMax);
    schema.Add(kScriptTimeMax);
    schema.Add(kScriptMemoryMax);
    schema.Add(kScriptOutputMax);
    schema.Add(kRecordBatchMax);
    schema.Add(kRecordQueueMax);
    schema.Add(kPostgresConnectionsMax);
    schema.Add(kOpeningGrace);
    schema.Add(kVerifyInterval);
    schema.Add(kDueSteppedOverMax);
    schema.Add(kDeskPostgresConnectionsMax);
    schema.Add(kUndoWindow);
    schema.Add(kAnalysisRecordsMax);
    schema.Add(kRecordsRetention);
    DeclareRemoteConfig(schema);
  }

  absl::Status CheckConfig(const config::Values& values,
                           std::vector<std::string>& /*warnings*/) const override {
    return sql::CheckStorageUrl(values.Get(app::kStorageUrl));
  }

  absl::Status Configure(app::Context& context) override {
    metrics_ = std::make_unique<Metrics>(
        context.metrics(),
        [this] {
          const Service* const service = serving_.load();
          return service == nullptr ? 0.0 : static_cast<double>(service->recorder.queued());
        },
        [this] {
          const Service* const service = serving_.load();
          if (service == nullptr) return 0.0;
          return static_cast<double>(service->rule_sets.active()->sets().size());
        });
    context.OnConfigChange([this](const config::Values&) {
      if (Service* const service = serving_.load()) service->rules_watch.LookSoon();
    });
    ASSIGN_OR_RETURN(resolvers_,
                     OpenResolvers(context.config(), {context.clock(), context.random(),
                                                      context.logger(), context.metrics()}));
    adapter_.AddTo(context.server());
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
    storage.desk_postgres_connections_max =
        static_cast<int>(config.Get(kDeskPostgresConnectionsMax));
    ASSIGN_OR_RETURN(auto rule_sets, OpenRuleSetStorage(storage, context.clock()));
    ASSIGN_OR_RETURN(auto desk, OpenDeskStorage(storage, context.clock()));
    ASSIGN_OR_RETURN(auto analysis, OpenAnalysisStorage(storage, context.clock()));
    auto service =
        std::make_unique<Service>(std::move(opened), std::move(rule_sets), std::move(desk),
                                  std::move(analysis), *metrics_, resolvers_->registry(), context);
    RETURN_IF_ERROR(service->rules_watch.Start());
    service_ = std::move(service);
    (void)service_->probe.Last();  // Asks; the readiness check tells.
    serving_.store(service_.get());
    adapter_.Serve(service_->domain);
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) override {
    if (service_ == nullptr) return;
    service_->decider.Drain(deadline);
    service_->calls.Drain(deadline);
    service_->recorder.Drain(deadline);
    service_->desk.Drain(deadline);
    service_->record_desk.Drain(deadline);
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
    limits.clock_skew_max = values.Get(kClockSkewMax);
    limits.ask_deadline = values.Get(kAskDeadline);
    limits.script_time_max = values.Get(kScriptTimeMax);
    limits.ask_fallback =
        merge::PickFromName(values.Get(kAskFallback)).value_or(merge::Pick::kProposed);
    return limits;
  }
  static script::Limits ScriptLimitsFrom(const config::Values& values) {
    script::Limits limits;
    limits.instructions_max = static_cast<uint64_t>(values.Get(kScriptInstructionsMax));
    limits.memory_bytes_max = static_cast<size_t>(values.Get(kScriptMemoryMax));
    limits.output_bytes_max = static_cast<size_t>(values.Get(kScriptOutputMax));
    return limits;
  }
  static RuleSetRegistry::Options RuleOptionsFrom(const config::Values& values,
                                                  const ResolverRegistry& resolvers) {
    RuleSetRegistry::Options options;
    options.resolvers = resolvers.names();
    options.types_max = static_cast<int>(values.Get(kRuleTypesMax));
    return options;
  }
  static RuleSetRegistry::Observer RuleObserver(Metrics& metrics, bus::Bus& bus) {
    return {.on_read = [&metrics](const absl::Status& read,
                                  bool changed) { metrics.OnRulesRead(read.ok(), changed); },
            .on_changed = [&bus] { bus.Publish(kRulesChannel, ""); }};
  }
  // What scripts failed of is told now and then, since each failure is counted.
  static Decider::Observer DeciderObserver(Metrics& metrics, app::Context& context) {
    // Shared, since functions can be copied.
    auto throttle = std::make_shared<log::Throttle>(context.clock(), kScriptWarningInterval);
    return {
        .on_resolved = [&metrics](const v1::ResolveResult& result) { metrics.OnResolved(result); },
        .on_script =
            [&metrics, &logger = context.logger(), throttle](absl::string_view entity_type,
                                                             const absl::Status& run) {
              metrics.OnScript(run);
              if (run.ok() || !throttle->Allow()) return;
              logger.Warn("a rule's script decided nothing; its else did",
                          {{"entity_type", entity_type}, {"error", run.message()}});
            }};
  }

  static DeskLimits DeskLimitsFrom(const config::Values& values) {
    DeskLimits limits;
    limits.opening_grace = values.Get(kOpeningGrace);
    limits.verify_interval = values.Get(kVerifyInterval);
    limits.due_stepped_over_max = static_cast<int>(values.Get(kDueSteppedOverMax));
    return limits;
  }

  static RecordDeskLimits RecordDeskLimitsFrom(const config::Values& values) {
    RecordDeskLimits limits;
    limits.undo_window = values.Get(kUndoWindow);
    limits.analysis_records_max = values.Get(kAnalysisRecordsMax);
    limits.matching_work_max = static_cast<size_t>(values.Get(kMatchingWorkMax));
    return limits;
  }

  // All that works once storage is open.
  struct Service {
    Service(std::unique_ptr<ResolutionStorage> opened,
            std::unique_ptr<RuleSetStorage> opened_rule_sets,
            std::unique_ptr<DeskStorage> opened_desk,
            std::unique_ptr<AnalysisStorage> opened_analysis, Metrics& metrics,
            ResolverRegistry& resolvers, app::Context& context)
        : storage(std::move(opened)),
          probe(AskOnWorker(storage, context.workers()), context.clock()),
          recorder(*storage, context.workers(), context.clock(),
                   RecorderLimitsFrom(context.config()),
                   [&metrics](size_t records, absl::Duration duration) {
                     metrics.OnRecorded(records, duration);
                   }),
          rule_set_storage(std::move(opened_rule_sets)),
          compiler(ScriptLimitsFrom(context.config())),
          rule_sets(*rule_set_storage, compiler, context.clock(),
                    RuleOptionsFrom(context.config(), resolvers),
                    RuleObserver(metrics, context.bus())),
          rules_watch(rule_sets, context.bus(), context.config().Get(kRulesFile),
                      context.config().Get(kRulesRefreshInterval), context.logger()),
          remote{resolvers, context.clock(), context.config().Get(kResolverWaitMax),
                 [&metrics](size_t places) { metrics.OnRemoteOutOfTime(places); }},
          decider(
              recorder, context.workers(), remote, context.clock(),
              [this] { return rule_sets.active(); }, ResolveLimitsFrom(context.config()),
              DeciderObserver(metrics, context)),
          desk_storage(std::move(opened_desk)),
          merger([this] { return rule_sets.active(); }, context.clock(),
                 ResolveLimitsFrom(context.config()), DeciderObserver(metrics, context).on_script),
          desk(*desk_storage, merger, remote, context.workers(), context.clock(),
               DeskLimitsFrom(context.config()),
               {.on_closed = [&metrics](v1::ConflictState state) { metrics.OnClosed(state); },
                .on_too_many_due = [&metrics] { metrics.OnTooManyDue(); }}),
          analysis(std::move(opened_analysis)),
          checks{&compiler, &resolvers.names()},
          record_desk(
              *storage, *analysis, [this] { return rule_sets.active(); }, checks, remote,
              context.workers(), context.clock(), RecordDeskLimitsFrom(context.config())),
          desk_watch(*desk_storage, context.clock(), DeskLimitsFrom(context.config()),
                     context.config().Get(kRecordsRetention),
                     [&metrics, &clock = context.clock()](const DeskLook& look) {
                       metrics.OnOpenCounted(look.open, clock.Now());
                       metrics.OnOverdue(look.overdue);
                     }),
          calls(context.workers()) {}

    const std::shared_ptr<ResolutionStorage> storage;  // Shared with the probe's question.
    rpc::HealthProbe probe;
    Recorder recorder;
    const std::unique_ptr<RuleSetStorage> rule_set_storage;
    const rules::LuaCompiler compiler;
    RuleSetRegistry rule_sets;
    RulesWatch rules_watch;
    const RemoteAccess remote;
    Decider decider;
    const std::unique_ptr<DeskStorage> desk_storage;
    const RuleMerger merger;
    ConflictDesk desk;
    const std::unique_ptr<AnalysisStorage> analysis;
    const merge::RuleSetContext checks;
    RecordDesk record_desk;
    DeskWatch desk_watch;
    DeskCalls calls;
    GrpcAdapter::Domain domain{decider, recorder, rule_sets, desk, record_desk, calls};
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
