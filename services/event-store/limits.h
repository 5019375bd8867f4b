// Named limits of the event store. Constants only.
#pragma once

#include <cstdint>

namespace bdcsync::event_store {

inline constexpr int kAppendItemsMax = 4096;
inline constexpr int64_t kAppendBytesMax = 16 << 20;
inline constexpr int64_t kEventDataBytesMax = 8 << 20;
inline constexpr int64_t kEventMetaBytesMax = 64 << 10;
inline constexpr int64_t kSpaceBytesMax = 128;
inline constexpr int64_t kStreamNameBytesMax = 512;
inline constexpr int64_t kOpIdBytesMax = 64;
inline constexpr int64_t kSnapshotBytesMax = 16 << 20;

inline constexpr int kReadHeadsMax = 4096;      // Streams in one ReadHeads.
inline constexpr int kGetOperationsMax = 4096;  // Operations in one GetOperations.
inline constexpr int kSpaceHeadsMax = 4096;     // Spaces in one GetSpaceHeads.
inline constexpr int kReadStreamLimitMax = 1000;
inline constexpr int kReadStreamLimitDefault = 100;
inline constexpr int kReadSpaceLimitMax = 4096;  // Also ReadLog.
inline constexpr int kReadSpaceLimitDefault = 500;
inline constexpr int64_t kPageBytesDefault = 4 << 20;  // Data and meta in a page, if not said.
inline constexpr int64_t kPageBytesMax = 12 << 20;     // However much was asked for.
inline constexpr int64_t kHeadsBytesMax = 12 << 20;    // Data and meta in one ReadHeads.

inline constexpr int kLogCountMax = 4096;
inline constexpr uint32_t kNewStoreLogCount = 16;       // Where nothing else is said.
inline constexpr int64_t kSqliteCacheBytes = 64 << 20;  // Pages that SQLite's writer keeps.
// Some 800,000 operation keys: with a sweep a minute, a week of 1,000 operations a second is gone
// through in half a day.
inline constexpr int64_t kSweepBytesMax = 64 << 20;

}  // namespace bdcsync::event_store
