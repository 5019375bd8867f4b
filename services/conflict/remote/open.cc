#include "services/conflict/remote/open.h"

#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "libs/rpc/channels.h"
#include "services/conflict/remote/metrics.h"
#include "services/conflict/remote/options.h"
#include "services/conflict/remote/resolver_endpoint_client.h"

namespace bdcsync::conflict {
namespace {

class ObservedResolvers final : public Resolvers {
 public:
  explicit ObservedResolvers(metrics::Registry& metrics)
      : registry_([&unknown = AddUnknownResolverPlaces(metrics)](std::size_t places) {
          unknown.Add(static_cast<double>(places));
        }) {}

  ResolverRegistry& registry() override { return registry_; }

  void Add(const std::string& name, std::unique_ptr<ResolverEndpoint> endpoint,
           const LineOptions& options, const ResolverTools& tools) {
    auto metrics = std::make_unique<ResolverMetrics>(tools.metrics, tools.logger, name);
    registry_.Add(name, std::make_unique<ResolverLine>(
                            name, std::move(endpoint), options,
                            ResolverLine::Tools{tools.clock, tools.random, *metrics}));
    metrics_.push_back(std::move(metrics));
  }

 private:
  std::vector<std::unique_ptr<ResolverMetrics>> metrics_;
  ResolverRegistry registry_;  // Last: its lines use the metrics.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Resolvers>> OpenResolvers(const config::Values& values,
                                                         const ResolverTools& tools) {
  ASSIGN_OR_RETURN(const auto options, ResolverOptionsFrom(values));
  const rpc::ChannelOptions channels = rpc::ChannelOptionsFrom(values);
  auto resolvers = std::make_unique<ObservedResolvers>(tools.metrics);
  for (const auto& [name, resolver] : options) {
    ASSIGN_OR_RETURN(const auto channel, rpc::Dial(resolver.address, channels));
    resolvers->Add(name, std::make_unique<ResolverEndpointClient>(channel), resolver.line, tools);
  }
  return resolvers;
}

}  // namespace bdcsync::conflict
