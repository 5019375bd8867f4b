#include "libs/rpc/hung_peers.h"

namespace bdcsync::rpc {
namespace {

constexpr metrics::MetricInfo kHangs{
    "bdcsync_grpc_hangs_total",
    "How often a service that had calls to answer gave no sign of life for grpc.hung_after."};
constexpr metrics::MetricInfo kHungPeers{
    "bdcsync_grpc_hung_peers",
    "Services that hang, as their callers see it: they are not called until they are back."};

}  // namespace

HungPeers::HungPeers(metrics::Registry& registry, const log::Logger& logger)
    : logger_(logger), hangs_(registry.AddCounter(kHangs)), hung_(registry.AddGauge(kHungPeers)) {}

void HungPeers::OnHung(const std::string& address) {
  hangs_.Add();
  hung_.Add(1);
  logger_.Warn("a service hangs and is not called until it is back", {{"address", address}});
}

void HungPeers::OnBack(const std::string& address) {
  hung_.Add(-1);
  logger_.Info("a service that hung is called again", {{"address", address}});
}

void HungPeers::OnGivenUp() { hung_.Add(-1); }

}  // namespace bdcsync::rpc
