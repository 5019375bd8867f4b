#include "services/version/module.h"

#include <atomic>
#include <utility>
#include <vector>

#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/config.h"
#include "libs/rpc/health_probe.h"
#include "libs/rpc/server.h"
#include "services/version/committer.h"
#include "services/version/config.h"
#include "services/version/conflict_closer.h"
#include "services/version/conflict_desk_client.h"
#include "services/version/conflict_viewer.h"
#include "services/version/event_log_client.h"
#include "services/version/fact_recorder.h"
#include "services/version/grpc_adapter.h"
#include "services/version/metrics.h"
#include "services/version/reader.h"
#include "services/version/resolution_undoer.h"
#include "services/version/resolver_client.h"

namespace bdcsync::version {
namespace {

constexpr int kGrpcPort = 8773;
constexpr int kHttpPort = 8783;

CommitLimits LimitsFrom(const config::Values& values) {
  const auto size = [&values](const auto& key) { return static_cast<size_t>(values.Get(key)); };
  CommitLimits limits;
  limits.data.data_bytes_max = size(kDataBytesMax);
  limits.data.data_depth_max = size(kDataDepthMax);
  limits.data.text_distance_max = values.Get(kTextDistanceMax);
  limits.data.text_trail_bytes_max = size(kTextTrailBytes);
  limits.batch_items_max = size(kBatchItemsMax);
  limits.batch_bytes_max = size(kBatchBytesMax);
  limits.batches_in_flight_max = size(kBatchesInFlightMax);
  limits.queue_items_max = size(kQueueItemsMax);
  // Half, as all else that results say has a place in the message, too.
  limits.answer_data_bytes_max = size(rpc::kMaxMessageBytes) / 2;
  limits.lost_races_max = static_cast<int>(values.Get(kLostRacesMax));
  return limits;
}

class VersionModule final : public app::Module {
 public:
  absl::string_view name() const override { return "version"; }
  app::DefaultPorts default_ports() const override { return {kGrpcPort, kHttpPort}; }

  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kDataBytesMax);
    schema.Add(kDataDepthMax);
    schema.Add(kBatchItemsMax);
    schema.Add(kBatchBytesMax);
    schema.Add(kBatchesInFlightMax);
    schema.Add(kQueueItemsMax);
    schema.Add(kHeadCacheBytes);
    schema.Add(kTextDistanceMax);
    schema.Add(kTextTrailBytes);
    schema.Add(kLostRacesMax);
    schema.Add(kEventStoreTimeout);
    schema.Add(kResolveTimeout);
    schema.Add(kRecordFactsTimeout);
  }

  absl::Status Configure(app::Context& context) override {
    cache_ =
        std::make_unique<HeadCache>(static_cast<size_t>(context.config().Get(kHeadCacheBytes)));
    metrics_ = std::make_unique<Metrics>(
        context.metrics(), context.logger(), context.clock(), *cache_, [this] {
          const Service* const service = serving_.load();
          return service == nullptr ? 0.0 : static_cast<double>(service->committer.queued());
        });
    adapter_.AddTo(context.server());
    context.AddReadinessCheck("version event-store", [this] {
      Service* const service = serving_.load();
      return service == nullptr ? absl::UnavailableError("not yet started") : service->probe.Last();
    });
    return absl::OkStatus();
  }

  absl::Status Start(app::Context& context) override {
    ASSIGN_OR_RETURN(const Peers event_store, context.channels().Get("event-store"));
    ASSIGN_OR_RETURN(const Peers conflict, context.channels().Get("conflict"));
    service_ = std::make_unique<Service>(event_store, conflict, *cache_, *metrics_, context);
    (void)service_->probe.Last();  // Asks; the readiness check tells.
    serving_.store(service_.get());
    adapter_.Serve(service_->domain);
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) override {
    if (service_ != nullptr) service_->committer.Drain(deadline);
  }

 private:
  using Peers = std::vector<rpc::Peer>;

  // All that works once other services can be called.
  struct Service {
    Service(const Peers& event_store, const Peers& conflict, HeadCache& cache, Metrics& metrics,
            app::Context& context)
        : log(event_store, context.config().Get(kEventStoreTimeout)),
          resolver(conflict, context.config().Get(kResolveTimeout)),
          probe([this](rpc::HealthProbe::Answer answer) { log.Ping(std::move(answer)); },
                context.clock()),
          desk(conflict, {.answer = context.config().Get(kResolveTimeout),
                          .record_facts = context.config().Get(kRecordFactsTimeout)}),
          facts(desk, metrics),
          committer(log, resolver, facts, cache, context.random(), metrics,
                    LimitsFrom(context.config())),
          reader(log),
          conflict_tools{log, desk, facts, committer, context.random(), context.clock(), metrics},
          viewer(log, desk),
          closer(conflict_tools),
          undoer(conflict_tools) {}

    EventLogClient log;
    ResolverClient resolver;
    rpc::HealthProbe probe;
    ConflictDeskClient desk;
    FactRecorder facts;
    Committer committer;
    Reader reader;
    ConflictTools conflict_tools;
    ConflictViewer viewer;
    ConflictCloser closer;
    ResolutionUndoer undoer;
    GrpcAdapter::Domain domain{committer, reader, viewer, closer, undoer};
  };

  std::unique_ptr<HeadCache> cache_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Service> service_;
  GrpcAdapter adapter_;
  std::atomic<Service*> serving_{nullptr};  // Set when Start is done.
};

}  // namespace

std::unique_ptr<app::Module> MakeModule() { return std::make_unique<VersionModule>(); }

}  // namespace bdcsync::version
