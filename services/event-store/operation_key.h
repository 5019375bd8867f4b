// The 128 bits that stand for an op_id in caches and tables. Pure.
#pragma once

#include "absl/strings/string_view.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

// A UUID in canonical lower-case form is its own key; any other text is hashed with SHA-256, since
// clients choose it and must not be able to make two meet.
OperationKey OperationKeyOf(absl::string_view op_id);

}  // namespace bdcsync::event_store
