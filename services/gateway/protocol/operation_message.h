// The fields of sync_request, also inside sync_batch, to an operation. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "bdcsync/common/v1/common.pb.h"
#include "libs/json/value.h"

namespace bdcsync::gateway {

// Reads `object` (an object at `path`) into `operation`, as far as possible also when it fails.
absl::Status ReadOperation(const json::Value& object, const std::string& path,
                           common::v1::Operation& operation);

// Reads space, entity_type, entity_id and branch. An empty space or branch stays empty.
class FieldReader;
void ReadEntityKey(FieldReader& in, common::v1::EntityKey& key);
// Reads space alone.
std::string ReadSpace(FieldReader& in);

// A stable hash of what the operation means; op_id and priority do not count. The space must have
// been filled in.
uint64_t RequestHash(const common::v1::Operation& operation);

}  // namespace bdcsync::gateway
