#include "services/gateway/pipeline/device_standing.h"

#include <iterator>

#include "libs/base/call_trace.h"
#include "libs/base/errors.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kChecks{
    "bdcsync_gateway_device_checks_total",
    "Checks whether the device of a gRPC call is revoked, by where the answer came from."};
constexpr metrics::MetricInfo kRefused{"bdcsync_gateway_device_checks_refused_total",
                                       "gRPC calls refused because their device was revoked."};

absl::Status StatusOf(bool revoked) {
  return revoked ? MakeError(Reason::kForbidden, "this device was revoked") : absl::OkStatus();
}

}  // namespace

DeviceStanding::DeviceStanding(DeviceClient& client, const Clock& clock,
                               metrics::Registry& registry, DeviceStandingLimits limits)
    : client_(client),
      clock_(clock),
      limits_(limits),
      known_(registry.AddCounter(kChecks, {{"source", "cache"}})),
      asked_(registry.AddCounter(kChecks, {{"source", "registry"}})),
      unanswered_(registry.AddCounter(kChecks, {{"source", "none"}})),
      refused_(registry.AddCounter(kRefused)) {}

DeviceStanding::Entry& DeviceStanding::EntryOf(const Device& device) {
  const auto [entry, made] = entries_.try_emplace(device);
  if (made) {
    order_.push_back(device);
    entry->second.place = std::prev(order_.end());
  }
  return entry->second;
}

void DeviceStanding::Learn(Entry& entry, bool revoked) {
  entry.revoked = revoked;
  entry.known = clock_.Monotonic();
  entry.ask_after = entry.known + limits_.age_max;
  order_.splice(order_.end(), order_, entry.place);
}

void DeviceStanding::MakeRoom() {
  while (order_.size() > limits_.devices_max) {
    const auto oldest = entries_.find(order_.front());
    if (!oldest->second.waiting.empty()) return;  // It goes when its answer has come.
    entries_.erase(oldest);
    order_.pop_front();
  }
}

void DeviceStanding::Check(absl::string_view user_id, absl::string_view device_id, Done done) {
  const Device device(user_id, device_id);
  bool ask = false;
  bool revoked = false;
  {
    absl::MutexLock lock(&mutex_);
    Entry& entry = EntryOf(device);
    const absl::Duration now = clock_.Monotonic();
    ask = now >= entry.ask_after;
    revoked = entry.revoked;
    if (ask) {
      entry.waiting.push_back(std::move(done));
      if (entry.waiting.size() > 1) return;
      entry.asked = now;
    }
  }
  if (ask) return Ask(device);
  known_.Add();
  if (revoked) refused_.Add();
  done(StatusOf(revoked));  // NOLINT(bugprone-use-after-move): only moved to wait for an answer.
}

// Waits as long as any caller may, not as long as the first one likes to.
void DeviceStanding::Ask(const Device& device) {
  device_sync::v1::GetDeviceRequest request;
  request.set_user_id(device.first);
  request.set_device_id(device.second);
  const CallScope scope({CallScope::Current().request_id, clock_.Monotonic() + limits_.wait_max});
  using Response = device_sync::v1::GetDeviceResponse;
  client_.GetDevice(std::move(request), [this, device](const absl::StatusOr<Response>& answer) {
    OnAnswer(device, answer);
  });
}

void DeviceStanding::OnAnswer(const Device& device,
                              const absl::StatusOr<device_sync::v1::GetDeviceResponse>& answer) {
  std::vector<Done> waiting;
  bool revoked = false;
  const bool answered = answer.ok() || answer.status().code() == absl::StatusCode::kNotFound;
  {
    absl::MutexLock lock(&mutex_);
    Entry& entry = EntryOf(device);
    waiting.swap(entry.waiting);
    // What the bus has told meanwhile is newer than the answer.
    const bool told = entry.revoked && entry.known >= entry.asked;
    if (answered && !told) Learn(entry, answer.ok() && answer->device().revoked_ms() > 0);
    // Without an answer, what was known before counts.
    if (!answered) entry.ask_after = clock_.Monotonic() + limits_.retry_after;
    revoked = entry.revoked;
    MakeRoom();
  }
  (answered ? asked_ : unanswered_).Add(static_cast<double>(waiting.size()));
  if (revoked) refused_.Add(static_cast<double>(waiting.size()));
  for (Done& done : waiting) done(StatusOf(revoked));
}

void DeviceStanding::OnRevoked(const device_sync::v1::DeviceName& device) {
  absl::MutexLock lock(&mutex_);
  Learn(EntryOf({device.user_id(), device.device_id()}), /*revoked=*/true);
  MakeRoom();
}

bool DeviceStanding::KnownRevoked(absl::string_view user_id, absl::string_view device_id) const {
  absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(Device(user_id, device_id));
  return entry != entries_.end() && entry->second.revoked;
}

}  // namespace bdcsync::gateway
