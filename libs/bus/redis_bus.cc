#include "libs/bus/redis_bus.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/bus/redis_publisher.h"
#include "libs/bus/redis_subscriber.h"

namespace bdcsync::bus {

struct RedisBus::Node {
  Node(const RedisAddress& address, const BusOptions& options, Random& random)
      : publisher(address, options, random), subscriber(address, options, random) {}
  RedisPublisher publisher;
  RedisSubscriber subscriber;
};

RedisBus::RedisBus(const std::vector<RedisAddress>& nodes, const BusOptions& options)
    : channel_prefix_(options.channel_prefix) {
  Random& random = options.random == nullptr ? own_random_ : *options.random;
  for (const RedisAddress& address : nodes) {
    nodes_.push_back(std::make_unique<Node>(address, options, random));
  }
}

RedisBus::~RedisBus() = default;

RedisBus::Node& RedisBus::NodeOf(absl::string_view name) const {
  return *nodes_[nodes_.size() == 1 ? 0 : StableHash64(name) % nodes_.size()];
}

std::string RedisBus::NameOf(absl::string_view channel) const {
  return absl::StrCat(channel_prefix_, channel);
}

void RedisBus::Publish(absl::string_view channel, std::string payload) {
  const std::string name = NameOf(channel);
  NodeOf(name).publisher.Push(name, std::move(payload));
}

std::unique_ptr<Subscription> RedisBus::Subscribe(absl::string_view channel,
                                                  MessageCallback on_message, GapCallback on_gap) {
  const std::string name = NameOf(channel);
  return NodeOf(name).subscriber.Subscribe(name, std::move(on_message), std::move(on_gap));
}

absl::Status RedisBus::Health() const {
  for (const std::unique_ptr<Node>& node : nodes_) {
    RETURN_IF_ERROR(node->publisher.Health());
    RETURN_IF_ERROR(node->subscriber.Health());
  }
  return absl::OkStatus();
}

BusStats RedisBus::Stats() const {
  BusStats stats;
  for (const std::unique_ptr<Node>& node : nodes_) {
    node->publisher.AddStats(stats);
    node->subscriber.AddStats(stats);
  }
  return stats;
}

}  // namespace bdcsync::bus
