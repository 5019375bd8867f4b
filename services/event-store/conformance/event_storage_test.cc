#include <gtest/gtest.h>

#include "services/event-store/conformance/event_storage_conformance.h"

namespace bdcsync::event_store {

INSTANTIATE_TEST_SUITE_P(Backends, EventStorageConformance, ::testing::ValuesIn(AllBackends()),
                         BackendName);

}  // namespace bdcsync::event_store
