// Configuration keys of device-sync. Constants only.
#pragma once

#include "absl/time/time.h"
#include "libs/config/schema.h"

namespace bdcsync::device_sync {

inline constexpr config::Duration kHeartbeatInterval{
    .name = "device_sync.heartbeat_interval",
    .default_value = absl::Seconds(30),
    .min = absl::Seconds(1),
    .max = absl::Hours(1),
    .doc = "How often gateways tell that a device lives; after two of these it counts as offline.",
    .reloadable = true};
inline constexpr config::Int kDevicesPerUserMax{
    .name = "device_sync.devices_per_user_max",
    .default_value = 1000,
    .min = 1,
    .max = 1000000,
    .unit = "devices",
    .doc = "Devices that one user may register; one more is refused with quota_exceeded."};
inline constexpr config::Int kPostgresConnectionsMax{
    .name = "device_sync.postgres_connections_max",
    .default_value = 4,
    .min = 1,
    .max = 1000,
    .unit = "connections",
    .doc = "Connections that device-sync opens to PostgreSQL at once."};

}  // namespace bdcsync::device_sync
