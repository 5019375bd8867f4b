// Named limits of device-sync. Constants only.
#pragma once

#include <cstddef>

namespace bdcsync::device_sync {

inline constexpr std::size_t kUserIdBytesMax = 128;
inline constexpr std::size_t kDeviceIdBytesMax = 128;
inline constexpr std::size_t kDescriptionBytesMax = 128;  // Client name, version, platform: each.
inline constexpr int kBatchItemsMax = 4096;  // In one Heartbeat, AckCursors, RecordPurges.
// In one RegisterDevices: so many answers, with all the spaces they may tell, fit into a message.
inline constexpr int kRegistrationsMax = 64;
inline constexpr int kSpacesToldMax = 1000;       // In the answer to a registration.
inline constexpr int kPurgesPerDeviceMax = 1000;  // Receipts kept; more are dropped.
inline constexpr int kListLimitMax = 500;
inline constexpr int kListLimitDefault = 100;
// A page of devices ends, short of its limit, once it has so many bytes with their receipts, which
// are read of so many devices at once.
inline constexpr std::size_t kListBytesMax = 4 << 20;
inline constexpr std::size_t kDevicesWithPurgesMax = 32;
inline constexpr int kBatteryPercentMax = 100;
inline constexpr int kBatteryUnsaid = -1;
// A device is online for this many heartbeat intervals after its last sign of life.
inline constexpr int kOnlineIntervals = 2;

}  // namespace bdcsync::device_sync
