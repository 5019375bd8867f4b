// The bus between processes: Redis publish and subscribe. A channel lives on one of the nodes,
// chosen by hash of its name with the prefix; each node has one publishing and one subscribing
// connection. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/bus/bus.h"
#include "libs/bus/open.h"
#include "libs/bus/redis_url.h"

namespace bdcsync::bus {

class RedisPublisher;
class RedisSubscriber;

class RedisBus final : public Bus {
 public:
  // `nodes` is not empty. Begins to connect.
  RedisBus(const std::vector<RedisAddress>& nodes, const BusOptions& options);
  ~RedisBus() override;

  void Publish(absl::string_view channel, std::string payload) override;
  std::unique_ptr<Subscription> Subscribe(absl::string_view channel, MessageCallback on_message,
                                          GapCallback on_gap) override;
  absl::Status Health() const override;
  BusStats Stats() const override;

 private:
  struct Node;
  Node& NodeOf(absl::string_view name) const;
  // What `channel` is called on the server.
  std::string NameOf(absl::string_view channel) const;

  const std::string channel_prefix_;
  SystemRandom own_random_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace bdcsync::bus
