// Configuration keys of version. Constants only.
#pragma once

#include "absl/time/time.h"
#include "libs/config/schema.h"
#include "services/version/commit_limits.h"

namespace bdcsync::version {

inline constexpr config::Bytes kDataBytesMax{
    .name = "version.data_bytes_max",
    .default_value = 1 << 20,
    .min = 1 << 10,
    .max = 4 << 20,
    .doc =
        "The largest data of one entity, and the largest patch; more is refused with too_large."};
inline constexpr config::Int kDataDepthMax{
    .name = "version.data_depth_max",
    .default_value = 64,
    .min = 4,
    .max = 256,
    .unit = "levels",
    .doc = "How deep containers nest in data and patches; deeper is refused with too_deep."};
inline constexpr config::Int kBatchItemsMax{
    .name = "version.batch_items_max",
    .default_value = 512,
    .min = 1,
    .max = kCommitItemsMax,
    .unit = "operations",
    .doc = "Operations that are committed together; one larger client batch goes alone."};
inline constexpr config::Bytes kBatchBytesMax{
    .name = "version.batch_bytes_max",
    .default_value = 4 << 20,
    .min = 64 << 10,
    .max = 8 << 20,
    .doc = "Bytes of operations that are committed together."};
inline constexpr config::Int kBatchesInFlightMax{
    .name = "version.batches_in_flight_max",
    .default_value = 2,
    .min = 1,
    .max = 64,
    .unit = "batches",
    .doc = "Batches on their way to event-store at once."};
inline constexpr config::Int kQueueItemsMax{
    .name = "version.queue_items_max",
    .default_value = 65536,
    .min = 1,
    .max = 10'000'000,
    .unit = "operations",
    .doc = "Operations that wait for a batch; more are sent back as unavailable."};
inline constexpr config::Bytes kHeadCacheBytes{
    .name = "version.head_cache_bytes",
    .default_value = 64 << 20,
    .min = 0,
    .max = int64_t{1} << 40,
    .doc = "Memory for the heads that were used last; a head that is not there costs one read."};
inline constexpr config::Int kTextDistanceMax{
    .name = "version.text_distance_max",
    .default_value = 1000,
    .min = 1,
    .max = 1000,
    .unit = "versions",
    .doc =
        "A text operation made so far behind the head is moved over each change of the text "
        "since; one made before that, over the difference of the two texts."};
inline constexpr config::Bytes kTextTrailBytes{
    .name = "version.text_trail_bytes",
    .default_value = 256 << 10,
    .min = 0,
    .max = 64 << 20,
    .doc =
        "Memory for the last text operations of one entity, beside its head and within "
        "version.head_cache_bytes; those that are not there are read from the log."};
inline constexpr config::Int kLostRacesMax{
    .name = "version.lost_races_max",
    .default_value = 8,
    .min = 1,
    .max = 1000,
    .unit = "times",
    .doc = "How often other writers may be first on an entity before operations are sent back."};
inline constexpr config::Duration kEventStoreTimeout{
    .name = "version.event_store_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(5),
    .doc = "How long version waits for one answer of event-store."};
inline constexpr config::Duration kResolveTimeout{
    .name = "version.resolve_timeout",
    .default_value = absl::Seconds(5),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(5),
    .doc = "How long version waits for one answer of conflict."};
inline constexpr config::Duration kRecordFactsTimeout{
    .name = "version.record_facts_timeout",
    .default_value = absl::Milliseconds(200),
    .min = absl::Milliseconds(1),
    .max = absl::Seconds(30),
    .doc =
        "How long the answer to a change that waits for a person is held back until conflict knows "
        "of it; what conflict was not told it learns later."};

}  // namespace bdcsync::version
