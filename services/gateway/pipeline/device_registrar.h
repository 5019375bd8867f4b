// Registers devices in batches: at once when no call is in flight, gathered while some are, so that
// ten thousand clients that return together cost a few hundred calls. Registrations of one device
// stay in order. Thread-safe; `done` runs on any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "libs/rpc/lane_batcher.h"
#include "services/gateway/pipeline/device_client.h"
#include "services/gateway/session/devices.h"

namespace bdcsync::gateway {

struct RegistrationLimits {
  size_t in_flight_max = 2;
  size_t batch_items_max = 64;   // What device-sync takes in one call.
  size_t waiting_max = 100'000;  // More are not registered until they authenticate again.
};

class DeviceRegistrar {
 public:
  struct Metrics {
    metrics::Counter& dropped;
    metrics::Counter& failures;
    metrics::Histogram& batch_items;
  };

  // Borrowed. No call may be in flight when this is destroyed.
  DeviceRegistrar(DeviceClient& client, Random& random, log::Logger& logger, Metrics metrics,
                  RegistrationLimits limits);

  //   kUnavailable  device-sync does not answer, or no place is free: the session goes on without.
  void Register(const Caller& caller, device_sync::v1::DeviceState state,
                Devices::RegisterDone done);

  // Registrations that wait for a call.
  size_t waiting() const { return batcher_.queued(); }

 private:
  struct Waiting {
    device_sync::v1::Device device;
    std::string request_id;
    Devices::RegisterDone done;
  };
  using Batcher = rpc::LaneBatcher<Waiting>;

  void Send(std::vector<Waiting> batch, Batcher::Done done);

  DeviceClient& client_;
  Random& random_;
  log::Logger& logger_;
  const Metrics metrics_;
  Batcher batcher_;
};

}  // namespace bdcsync::gateway
