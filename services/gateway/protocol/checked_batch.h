// A batch before it is submitted: which of its operations go on, and what is answered for the
// others, whichever way it came. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/protocol/client_message.h"

namespace bdcsync::gateway {

struct CheckedBatch {
  std::vector<sync::v1::OperationResult> results;  // One for each item; filled in if it is refused.
  std::vector<common::v1::Operation> operations;   // Those that are submitted …
  std::vector<size_t> places;                      // … and their places in results.
};

// An item that is refused takes the later ones on its entity with it, and all of an atomic batch
// (depends_on_rejected). Keys of entities must be filled in.
CheckedBatch CheckBatch(std::vector<SyncBatchRequest::Item> items, bool atomic);

}  // namespace bdcsync::gateway
