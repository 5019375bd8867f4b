#include "services/device-sync/registry.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/device-sync/limits.h"
#include "services/device-sync/validation.h"

namespace bdcsync::device_sync {
namespace {

std::string EncodePageToken(const v1::Device& last) {
  return absl::WebSafeBase64Escape(absl::StrCat(last.last_seen_ms(), ":", last.device_id()));
}

absl::StatusOr<std::optional<ListPosition>> DecodePageToken(absl::string_view token) {
  if (token.empty()) return std::optional<ListPosition>();
  std::string text;
  ListPosition position;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
    if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &position.last_seen_ms) &&
        ValidateOwner("any", parts[1]).ok()) {
      position.device_id = parts[1];
      return std::optional<ListPosition>(std::move(position));
    }
  }
  return MakeErrorAt(Reason::kInvalidArgument, "page_token", "page_token is not one of ours");
}

// Registrations of one device in a batch, and where in the batch they are.
struct Registrations {
  DevicePut put{.times = 0};
  std::vector<std::size_t> places;
};

// The last description counts, and the last state that was given.
void Fold(const v1::Device& device, DevicePut& put) {
  const bool given_before = put.state_given;
  v1::DeviceState before;
  if (given_before) before = std::move(*put.device.mutable_state());
  put.device = device;
  put.state_given = given_before || device.has_state();
  ++put.times;
  if (device.has_state()) return;
  if (given_before) {
    *put.device.mutable_state() = std::move(before);
  } else {
    put.device.mutable_state()->set_battery_percent(kBatteryUnsaid);
  }
}

// The later state of a device wins; a later sign without state leaves the earlier one.
void Fold(const v1::HeartbeatItem& item, SignOfLife& sign) {
  sign.user_id = item.user_id();
  sign.device_id = item.device_id();
  if (item.has_state()) sign.state = item.state();
  sign.signed_off = item.offline();
}

// Within an epoch the furthest position wins, between epochs the later one.
void Fold(const v1::CursorAck& ack, v1::CursorAck& kept) {
  const bool same_epoch = kept.has_position() && kept.position().epoch() == ack.position().epoch();
  if (same_epoch && kept.position().seq() >= ack.position().seq()) return;
  kept = ack;
}

}  // namespace

Registry::Registry(DeviceStorage& storage, const Clock& clock, RegistryOptions options)
    : storage_(storage),
      clock_(clock),
      devices_per_user_max_(options.devices_per_user_max),
      heartbeat_interval_ms_(absl::ToInt64Milliseconds(options.heartbeat_interval)) {}

void Registry::set_heartbeat_interval(absl::Duration interval) {
  heartbeat_interval_ms_.store(absl::ToInt64Milliseconds(interval));
}

v1::Device Registry::Finish(DeviceRecord record) const {
  const int64_t silent_ms = absl::ToUnixMillis(clock_.Now()) - record.device.last_seen_ms();
  record.device.set_online(!record.signed_off && record.device.revoked_ms() == 0 &&
                           silent_ms <= kOnlineIntervals * heartbeat_interval_ms_.load());
  return std::move(record.device);
}

absl::Status Registry::AddPurges(absl::string_view user_id, absl::Span<v1::Device* const> devices) {
  std::vector<std::string> ids;
  ids.reserve(devices.size());
  for (const v1::Device* device : devices) ids.push_back(device->device_id());
  ASSIGN_OR_RETURN(std::vector<StoredPurge> purges, storage_.GetPurges(user_id, ids));
  for (StoredPurge& purge : purges) {
    for (v1::Device* device : devices) {
      if (device->device_id() == purge.device_id) *device->add_purges() = std::move(purge.receipt);
    }
  }
  return absl::OkStatus();
}

v1::RegisterDeviceResponse Registry::Registered(DeviceRecord record, int64_t later_registrations,
                                                const std::vector<std::string>& spaces) const {
  v1::RegisterDeviceResponse response;
  if (record.device.revoked_ms() == 0) {
    response.set_session_number(record.registrations - later_registrations);
  }
  *response.mutable_device() = Finish(std::move(record));
  for (const std::string& space : spaces) response.add_spaces(space);
  return response;
}

absl::StatusOr<v1::RegisterDeviceResponse> Registry::Register(const v1::Device& device) {
  ASSIGN_OR_RETURN(auto answers, RegisterAll({&device}));
  return std::move(answers.front());
}

absl::StatusOr<std::vector<absl::StatusOr<v1::RegisterDeviceResponse>>> Registry::RegisterAll(
    absl::Span<const v1::Device* const> devices) {
  RETURN_IF_ERROR(ValidateRegistrations(static_cast<int>(devices.size())));
  std::vector<absl::StatusOr<v1::RegisterDeviceResponse>> answers(
      devices.size(), MakeError(Reason::kInternal, "a registration was left out"));
  std::map<std::pair<absl::string_view, absl::string_view>, Registrations> folded;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (const absl::Status valid = ValidateDevice(*devices[i]); !valid.ok()) {
      answers[i] = valid;
      continue;
    }
    Registrations& all = folded[{devices[i]->user_id(), devices[i]->device_id()}];
    Fold(*devices[i], all.put);
    all.places.push_back(i);
  }
  if (folded.empty()) return answers;
  std::vector<DevicePut> puts;  // In order of user and device, as storage wants it.
  std::vector<v1::DeviceName> names(folded.size());
  for (auto& [key, all] : folded) {
    v1::DeviceName& name = names[puts.size()];
    name.set_user_id(all.put.device.user_id());
    name.set_device_id(all.put.device.device_id());
    puts.push_back(std::move(all.put));
  }
  ASSIGN_OR_RETURN(const std::vector<absl::StatusOr<DeviceRecord>> records,
                   storage_.Put(puts, absl::ToUnixMillis(clock_.Now()), devices_per_user_max_));
  ASSIGN_OR_RETURN(const auto spaces, storage_.GetSpaces(names, kSpacesToldMax));
  std::size_t next = 0;
  for (const auto& [key, all] : folded) {
    const absl::StatusOr<DeviceRecord>& record = records[next];
    int64_t later = static_cast<int64_t>(all.places.size());
    for (const std::size_t place : all.places) {
      --later;
      if (record.ok()) {
        answers[place] = Registered(*record, later, spaces[next]);
      } else {
        answers[place] = record.status();
      }
    }
    ++next;
  }
  return answers;
}

absl::StatusOr<v1::Device> Registry::Get(absl::string_view user_id, absl::string_view device_id) {
  RETURN_IF_ERROR(ValidateOwner(user_id, device_id));
  ASSIGN_OR_RETURN(std::optional<DeviceRecord> record, storage_.Get(user_id, device_id));
  if (!record) return MakeError(Reason::kNotFound, "the user has no device of this id");
  v1::Device device = Finish(*std::move(record));
  RETURN_IF_ERROR(AddPurges(user_id, {&device}));
  return device;
}

absl::StatusOr<v1::Device> Registry::Revoke(absl::string_view user_id,
                                            absl::string_view device_id) {
  RETURN_IF_ERROR(ValidateOwner(user_id, device_id));
  ASSIGN_OR_RETURN(std::optional<DeviceRecord> record,
                   storage_.Revoke(user_id, device_id, absl::ToUnixMillis(clock_.Now())));
  if (!record) return MakeError(Reason::kNotFound, "the user has no device of this id");
  v1::Device device = Finish(*std::move(record));
  RETURN_IF_ERROR(AddPurges(user_id, {&device}));
  return device;
}

absl::Status Registry::RecordPurges(const v1::RecordPurgesRequest& request) {
  RETURN_IF_ERROR(ValidatePurges(request));
  using Key = std::tuple<absl::string_view, absl::string_view, absl::string_view>;
  std::map<Key, v1::PurgeItem> folded;
  for (const v1::PurgeItem& item : request.items()) {
    folded[Key(item.user_id(), item.device_id(), item.space())] = item;
  }
  std::vector<v1::PurgeItem> purges;
  purges.reserve(folded.size());
  for (auto& [key, purge] : folded) purges.push_back(std::move(purge));
  if (purges.empty()) return absl::OkStatus();
  return storage_.PutPurges(purges, absl::ToUnixMillis(clock_.Now()), kPurgesPerDeviceMax);
}

absl::StatusOr<v1::ListDevicesResponse> Registry::List(const v1::ListDevicesRequest& request) {
  RETURN_IF_ERROR(ValidateUser(request.user_id()));
  if (request.limit() < 0 || request.limit() > kListLimitMax) {
    return MakeErrorAt(Reason::kInvalidArgument, "limit",
                       absl::StrCat("limit must be 0 to ", kListLimitMax));
  }
  const int limit = request.limit() == 0 ? kListLimitDefault : request.limit();
  ASSIGN_OR_RETURN(const std::optional<ListPosition> after, DecodePageToken(request.page_token()));
  // One more than asked for tells whether another page follows.
  ASSIGN_OR_RETURN(std::vector<DeviceRecord> records,
                   storage_.List(request.user_id(), after, limit + 1));
  const std::size_t whole = std::min(records.size(), static_cast<std::size_t>(limit));
  v1::ListDevicesResponse response;
  std::size_t listed = 0;
  while (listed < whole && response.ByteSizeLong() < kListBytesMax) {
    const std::size_t end = std::min(whole, listed + kDevicesWithPurgesMax);
    std::vector<v1::Device*> devices;
    for (; listed < end; ++listed) {
      devices.push_back(response.add_devices());
      *devices.back() = Finish(std::move(records[listed]));
    }
    RETURN_IF_ERROR(AddPurges(request.user_id(), devices));
  }
  if (listed < records.size()) {
    response.set_next_page_token(EncodePageToken(*response.devices().rbegin()));
  }
  return response;
}

absl::Status Registry::Remove(absl::string_view user_id, absl::string_view device_id) {
  RETURN_IF_ERROR(ValidateOwner(user_id, device_id));
  return storage_.Remove(user_id, device_id);
}

absl::StatusOr<Noted> Registry::Heartbeat(const v1::HeartbeatRequest& request) {
  RETURN_IF_ERROR(ValidateHeartbeat(request));
  using Key = std::pair<absl::string_view, absl::string_view>;
  std::map<Key, SignOfLife> folded;  // In order of user and device, as storage wants it.
  for (const v1::HeartbeatItem& item : request.items()) {
    Fold(item, folded[Key(item.user_id(), item.device_id())]);
  }
  std::vector<SignOfLife> signs;
  signs.reserve(folded.size());
  for (auto& [key, sign] : folded) signs.push_back(std::move(sign));
  if (signs.empty()) return Noted();
  return storage_.Note(signs, absl::ToUnixMillis(clock_.Now()));
}

absl::Status Registry::AckCursors(const v1::AckCursorsRequest& request) {
  RETURN_IF_ERROR(ValidateCursors(request));
  using Key = std::tuple<absl::string_view, absl::string_view, absl::string_view>;
  std::map<Key, v1::CursorAck> folded;
  for (const v1::CursorAck& ack : request.acks()) {
    Fold(ack, folded[Key(ack.user_id(), ack.device_id(), ack.space())]);
  }
  std::vector<v1::CursorAck> cursors;
  cursors.reserve(folded.size());
  for (auto& [key, cursor] : folded) cursors.push_back(std::move(cursor));
  return cursors.empty() ? absl::OkStatus() : storage_.PutCursors(cursors);
}

absl::StatusOr<v1::GetCursorsResponse> Registry::GetCursors(absl::string_view user_id,
                                                            absl::string_view device_id) {
  RETURN_IF_ERROR(ValidateOwner(user_id, device_id));
  ASSIGN_OR_RETURN(std::vector<v1::CursorAck> cursors, storage_.GetCursors(user_id, device_id));
  v1::GetCursorsResponse response;
  for (v1::CursorAck& cursor : cursors) *response.add_cursors() = std::move(cursor);
  return response;
}

}  // namespace bdcsync::device_sync
