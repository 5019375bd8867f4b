#include <gtest/gtest.h>

#include "services/event-store/conformance/event_storage_conformance.h"

namespace bdcsync::event_store {

namespace {

constexpr int64_t kPartitionPositions = 4;  // Small, so that tests cross partitions.

}  // namespace

INSTANTIATE_TEST_SUITE_P(Backends, EventStorageConformance,
                         ::testing::ValuesIn(AllBackends(kPartitionPositions)), BackendName);

}  // namespace bdcsync::event_store
