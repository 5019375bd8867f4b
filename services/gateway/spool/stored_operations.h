// What the spool keeps of operations that came together, and what keeps them in order. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bdcsync/gateway/v1/stored.pb.h"
#include "libs/queue/durable_queue.h"
#include "services/gateway/pipeline/store_and_forward.h"

namespace bdcsync::gateway {

queue::NewItem ItemOf(StoreAndForward::Group group);
v1::StoredOperations StoredIn(const queue::Item& item);
// One for each entity.
std::vector<std::string> KeysOf(const v1::StoredOperations& stored);
// absl::InfiniteFuture() when it does not end.
absl::Time TokenExpires(const v1::StoredOperations& stored);
// Numbers of groups and batches are only good within one call: gives them new ones.
void Renumber(v1::StoredOperations& stored, uint32_t number);

}  // namespace bdcsync::gateway
