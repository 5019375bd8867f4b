// What an append must look like before it is planned. Pure functions.
#pragma once

#include "absl/status/status.h"
#include "bdcsync/event_store/v1/event_store.pb.h"

namespace bdcsync::event_store {

// INVALID_ARGUMENT or RESOURCE_EXHAUSTED-like reasons with the field at fault; see AppendResult.
absl::Status CheckItem(const v1::AppendItem& item);
// The limits of the request as a whole.
absl::Status CheckRequest(const v1::AppendRequest& request);
absl::Status CheckSpace(const std::string& space);
absl::Status CheckStream(const v1::StreamKey& stream);

}  // namespace bdcsync::event_store
