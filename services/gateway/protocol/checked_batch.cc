#include "services/gateway/protocol/checked_batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "libs/base/errors.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {

CheckedBatch CheckBatch(std::vector<SyncBatchRequest::Item> items, bool atomic) {
  CheckedBatch batch;
  batch.results.resize(items.size());
  const bool any_refused =
      std::any_of(items.begin(), items.end(), [](const auto& item) { return !item.status.ok(); });
  absl::flat_hash_set<std::string> refused_entities;
  for (size_t i = 0; i < items.size(); ++i) {
    SyncBatchRequest::Item& item = items[i];
    absl::Status status = std::move(item.status);
    if (any_refused) {
      const std::string entity = item.operation.entity().SerializeAsString();
      if (status.ok() && atomic) {
        status =
            MakeError(Reason::kDependsOnRejected, "another operation of the batch was refused");
      } else if (status.ok() && refused_entities.contains(entity)) {
        status = MakeError(Reason::kDependsOnRejected,
                           "an earlier operation on this entity was refused");
      }
      if (!status.ok()) refused_entities.insert(entity);
    }
    if (status.ok()) {
      batch.operations.push_back(std::move(item.operation));
      batch.places.push_back(i);
    } else {
      batch.results[i] = RejectedResult(item.operation, status);
    }
  }
  return batch;
}

}  // namespace bdcsync::gateway
