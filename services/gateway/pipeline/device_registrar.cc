#include "services/gateway/pipeline/device_registrar.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"

namespace bdcsync::gateway {
namespace {

Registration RegistrationOf(const device_sync::v1::RegisterDeviceResponse& answer) {
  Registration registration;
  registration.revoked = answer.device().revoked_ms() > 0;
  registration.session_number = answer.session_number();
  registration.spaces.assign(answer.spaces().begin(), answer.spaces().end());
  return registration;
}

size_t BytesOf(const device_sync::v1::Device& device) { return device.ByteSizeLong(); }

}  // namespace

DeviceRegistrar::DeviceRegistrar(DeviceClient& client, Random& random, log::Logger& logger,
                                 Metrics metrics, RegistrationLimits limits)
    : client_(client),
      random_(random),
      logger_(logger),
      metrics_(metrics),
      batcher_(
          {.in_flight_max = limits.in_flight_max,
           .batch_items_max = limits.batch_items_max,
           .queued_items_max = limits.waiting_max},
          [](const Waiting& waiting) { return BytesOf(waiting.device); },
          [this](std::vector<Waiting> batch, Batcher::Done done) {
            Send(std::move(batch), std::move(done));
          }) {}

void DeviceRegistrar::Register(const Caller& caller, device_sync::v1::DeviceState state,
                               Devices::RegisterDone done) {
  Waiting waiting;
  waiting.device.set_user_id(caller.user_id);
  waiting.device.set_device_id(caller.device_id);
  waiting.device.set_client_name(caller.client_name);
  waiting.device.set_client_version(caller.client_version);
  waiting.device.set_platform(caller.client_platform);
  *waiting.device.mutable_state() = std::move(state);
  waiting.request_id = absl::StrCat(caller.session_id, "/authenticate");
  waiting.done = std::move(done);
  const uint64_t lane = absl::HashOf(caller.user_id, caller.device_id);
  if (batcher_.Submit(lane, std::move(waiting))) return;
  metrics_.dropped.Add();
  // NOLINTNEXTLINE(bugprone-use-after-move): untouched when refused.
  waiting.done(MakeError(Reason::kUnavailable, "too many devices wait to be registered"));
}

void DeviceRegistrar::Send(std::vector<Waiting> batch, Batcher::Done done) {
  metrics_.batch_items.Observe(static_cast<double>(batch.size()));
  device_sync::v1::RegisterDevicesRequest request;
  std::vector<CallTrace> traces;
  std::vector<const CallTrace*> joined;
  traces.reserve(batch.size());
  for (Waiting& waiting : batch) {
    *request.add_devices() = std::move(waiting.device);
    joined.push_back(&traces.emplace_back(CallTrace{std::move(waiting.request_id)}));
  }
  const CallTrace trace = TraceOfBatch(joined, random_);
  if (batch.size() > 1 && logger_.Enabled(log::Level::kDebug)) {
    logger_.Debug("requests joined in a batch",
                  {{"request_id", trace.request_id},
                   {"request_ids", absl::StrJoin(joined, ",", [](std::string* out, const auto* of) {
                      absl::StrAppend(out, of->request_id);
                    })}});
  }
  const CallScope scope(trace);
  using Response = device_sync::v1::RegisterDevicesResponse;
  client_.RegisterDevices(
      std::move(request), [this, batch = std::move(batch),
                           done = std::move(done)](absl::StatusOr<Response> answer) mutable {
        if (answer.ok() && answer->results_size() != static_cast<int>(batch.size())) {
          answer = MakeError(Reason::kInternal, "device-sync left results out");
        }
        if (!answer.ok()) metrics_.failures.Add();
        for (size_t i = 0; i < batch.size(); ++i) {
          if (!answer.ok()) {
            batch[i].done(answer.status());
            continue;
          }
          const device_sync::v1::RegisterDeviceResult& result =
              answer->results(static_cast<int>(i));
          if (result.has_registered()) {
            batch[i].done(RegistrationOf(result.registered()));
          } else {
            metrics_.failures.Add();
            batch[i].done(rpc::FromProto(result.error()));
          }
        }
        done();
      });
}

}  // namespace bdcsync::gateway
