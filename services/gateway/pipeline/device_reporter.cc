#include "services/gateway/pipeline/device_reporter.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "libs/base/errors.h"
#include "libs/entity/cursor.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kDropped{
    "bdcsync_gateway_device_reports_dropped_total",
    "Registrations, signs of life, positions and receipts of devices that found no room."};
constexpr metrics::MetricInfo kFailures{
    "bdcsync_gateway_device_report_failures_total",
    "Calls of device-sync, and registrations in them, that failed."};

constexpr metrics::MetricInfo kRegistrationItems{"bdcsync_gateway_registration_batch_items",
                                                 "Devices in one call that registers them."};

void AddOnce(const std::string& space, std::vector<std::string>& spaces) {
  if (!absl::c_linear_search(spaces, space)) spaces.push_back(space);
}

// Moves up to `count_max` values out of a map.
template <typename Map, typename Take>
void Drain(Map& map, size_t count_max, Take take) {
  for (size_t i = 0; i < count_max && !map.empty(); ++i) {
    auto node = map.extract(map.begin());
    take(std::move(node.mapped()));
  }
}

}  // namespace

DeviceReporter::DeviceReporter(DeviceClient& client, Loop& loop, Random& random,
                               log::Logger& logger, metrics::Registry& registry,
                               DeviceReportLimits limits, OnRevoked on_revoked)
    : client_(client),
      loop_(loop),
      limits_(limits),
      on_revoked_(std::move(on_revoked)),
      dropped_(registry.AddCounter(kDropped)),
      failures_(registry.AddCounter(kFailures)),
      registrar_(
          client, random, logger,
          {dropped_, failures_, registry.AddHistogram(kRegistrationItems, metrics::SizeBuckets())},
          limits.registrations),
      alive_(std::make_shared<bool>(true)) {}

DeviceReporter::~DeviceReporter() = default;

void DeviceReporter::Start() {
  loop_.Post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) Tick();
  });
}

void DeviceReporter::Tick() {
  Flush();
  loop_.RunAfter(limits_.interval, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) Tick();
  });
}

void DeviceReporter::Register(const Caller& caller, device_sync::v1::DeviceState state,
                              RegisterDone done) {
  device_sync::v1::DeviceName device;
  device.set_user_id(caller.user_id);
  device.set_device_id(caller.device_id);
  std::vector<std::string> unstored = UnstoredSpaces(Device(caller.user_id, caller.device_id));
  registrar_.Register(caller, std::move(state),
                      [this, device = std::move(device), unstored = std::move(unstored),
                       done = std::move(done)](absl::StatusOr<Registration> answer) mutable {
                        if (answer.ok() && answer->revoked) on_revoked_(device);
                        if (answer.ok()) {
                          for (const auto& space : unstored) AddOnce(space, answer->spaces);
                        }
                        done(std::move(answer));
                      });
}

std::vector<std::string> DeviceReporter::UnstoredSpaces(const Device& device) {
  const Place first(device, "");
  std::vector<std::string> spaces;
  absl::MutexLock lock(&mutex_);
  for (auto at = acks_.lower_bound(first); at != acks_.end(); ++at) {
    if (at->first.first != device) break;
    if (!purges_.contains(at->first)) AddOnce(at->first.second, spaces);
  }
  for (auto at = acks_in_flight_.lower_bound(first); at != acks_in_flight_.end(); ++at) {
    if (at->first != device) break;
    if (!purges_.contains(*at)) AddOnce(at->second, spaces);
  }
  return spaces;
}

void DeviceReporter::Purged(const Caller& caller, absl::string_view space) {
  absl::MutexLock lock(&mutex_);
  if (purges_.size() >= limits_.waiting_max) {
    dropped_.Add();
    return;
  }
  device_sync::v1::PurgeItem& item =
      purges_[Place(Device(caller.user_id, caller.device_id), std::string(space))];
  item.set_user_id(caller.user_id);
  item.set_device_id(caller.device_id);
  item.set_space(std::string(space));
}

void DeviceReporter::Heartbeat(const Caller& caller,
                               std::optional<device_sync::v1::DeviceState> state, bool offline) {
  if (caller.device_id.empty()) return;
  absl::MutexLock lock(&mutex_);
  const Device key(caller.user_id, caller.device_id);
  auto item = heartbeats_.find(key);
  if (item == heartbeats_.end()) {
    if (heartbeats_.size() >= limits_.waiting_max) {
      dropped_.Add();
      return;
    }
    item = heartbeats_.emplace(key, device_sync::v1::HeartbeatItem()).first;
    item->second.set_user_id(caller.user_id);
    item->second.set_device_id(caller.device_id);
  }
  if (state.has_value()) *item->second.mutable_state() = *std::move(state);
  item->second.set_offline(offline);
}

absl::Status DeviceReporter::AckCursor(const Caller& caller, absl::string_view space,
                                       absl::string_view cursor) {
  const auto position = entity::DecodeCursor(cursor);
  if (!position.has_value()) {
    return MakeErrorAt(Reason::kInvalidArgument, "cursor", "this is not a cursor");
  }
  if (caller.device_id.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  const Place key(Device(caller.user_id, caller.device_id), std::string(space));
  auto ack = acks_.find(key);
  if (ack == acks_.end()) {
    if (acks_.size() >= limits_.waiting_max) {
      dropped_.Add();
      return absl::OkStatus();
    }
    ack = acks_.emplace(key, device_sync::v1::CursorAck()).first;
    ack->second.set_user_id(caller.user_id);
    ack->second.set_device_id(caller.device_id);
    ack->second.set_space(std::string(space));
  }
  const common::v1::SpacePosition& before = ack->second.position();
  // Two subscriptions of a space have positions of their own: the furthest is what the device has.
  if (before.epoch() == position->epoch && before.seq() > position->seq) return absl::OkStatus();
  ack->second.mutable_position()->set_epoch(position->epoch);
  ack->second.mutable_position()->set_seq(position->seq);
  return absl::OkStatus();
}

void DeviceReporter::FlushPurges() {
  device_sync::v1::RecordPurgesRequest purges;
  {
    absl::MutexLock lock(&mutex_);
    if (purge_in_flight_ || purges_.empty()) return;
    purge_in_flight_ = true;
    // After the positions that were acknowledged before: a receipt forgets these.
    for (const auto& [place, item] : purges_) acks_.erase(place);
    Drain(purges_, limits_.batch_items_max,
          [&](auto item) { *purges.add_items() = std::move(item); });
  }
  using Response = device_sync::v1::RecordPurgesResponse;
  client_.RecordPurges(purges, [this, purges](const absl::StatusOr<Response>& answer) {
    absl::MutexLock lock(&mutex_);
    purge_in_flight_ = false;
    if (answer.ok()) return;
    failures_.Add();
    for (const device_sync::v1::PurgeItem& item : purges.items()) {
      purges_.try_emplace(Place(Device(item.user_id(), item.device_id()), item.space()), item);
    }
  });
}

void DeviceReporter::Flush() {
  FlushPurges();
  device_sync::v1::HeartbeatRequest heartbeats;
  device_sync::v1::AckCursorsRequest acks;
  {
    absl::MutexLock lock(&mutex_);
    if (!heartbeat_in_flight_) {
      Drain(heartbeats_, limits_.batch_items_max,
            [&](auto item) { *heartbeats.add_items() = std::move(item); });
      heartbeat_in_flight_ = heartbeats.items_size() > 0;
    }
    if (acks_in_flight_.empty()) {
      Drain(acks_, limits_.batch_items_max, [&](auto ack) {
        mutex_.AssertHeld();
        acks_in_flight_.emplace(Device(ack.user_id(), ack.device_id()), ack.space());
        *acks.add_acks() = std::move(ack);
      });
    }
  }
  if (heartbeats.items_size() > 0) {
    using Response = device_sync::v1::HeartbeatResponse;
    client_.Heartbeat(std::move(heartbeats), [this](const absl::StatusOr<Response>& answer) {
      if (!answer.ok()) failures_.Add();
      {
        absl::MutexLock lock(&mutex_);
        heartbeat_in_flight_ = false;
      }
      if (!answer.ok()) return;
      for (const device_sync::v1::DeviceName& device : answer->revoked()) on_revoked_(device);
    });
  }
  if (acks.acks_size() > 0) {
    using Response = device_sync::v1::AckCursorsResponse;
    client_.AckCursors(std::move(acks), [this](const absl::StatusOr<Response>& answer) {
      if (!answer.ok()) failures_.Add();
      absl::MutexLock lock(&mutex_);
      acks_in_flight_.clear();
    });
  }
}

}  // namespace bdcsync::gateway
