// Counts and logs the peers that hang, as a caller of theirs sees it (stream_pool.h). Thread-safe.
#pragma once

#include <string>

#include "libs/log/logger.h"
#include "libs/metrics/registry.h"

namespace bdcsync::rpc {

class HungPeers {
 public:
  // `registry` is borrowed. One object per registry.
  HungPeers(metrics::Registry& registry, const log::Logger& logger);

  // Of the peer at `address`, in turns.
  void OnHung(const std::string& address);
  void OnBack(const std::string& address);
  // Instead of the second: whoever called it stops.
  void OnGivenUp();

 private:
  const log::Logger logger_;
  metrics::Counter& hangs_;
  metrics::Gauge& hung_;
};

}  // namespace bdcsync::rpc
