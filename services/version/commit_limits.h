// The limits of the commit path, read from the configuration (config.h). A value.
#pragma once

#include <cstddef>

#include "services/version/apply_operation.h"

namespace bdcsync::version {

inline constexpr size_t kCommitItemsMax = 4096;  // Of one call.
inline constexpr int kAppendItemsMax = 4096;     // Of one call to the log.

struct CommitLimits {
  DataLimits data;
  size_t batch_items_max = 512;
  size_t batch_bytes_max = size_t{4} << 20;
  size_t batches_in_flight_max = 2;
  size_t queue_items_max = 65536;
  // Of the data in the results of one call, but for the first that has some; more is left out.
  size_t answer_data_bytes_max = size_t{8} << 20;
  // How often other writers may be first on an entity before its operations are sent back.
  int lost_races_max = 8;
};

}  // namespace bdcsync::version
