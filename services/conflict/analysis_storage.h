// The port to counting over records and conflicts. Calls block, for seconds when much is counted;
// they keep nobody from recording. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

struct AnalysisQuery {
  std::string space;  // Empty: all.
  int64_t from_ms = 0;
  int64_t to_ms = 0;  // Exclusive.
  v1::AnalyzeDimension by = v1::ANALYZE_DIMENSION_UNSPECIFIED;
  int64_t bucket_ms = 1;
  std::string entity_type;  // Empty: all.
  int64_t limit = 0;        // Groups.
  int64_t records_max = 0;  // Of each kind, the newest.
};

class AnalysisStorage {
 public:
  virtual ~AnalysisStorage() = default;

  // The largest groups first, those of equal size by key; by time the latest first. The key of a
  // group by time is the start of its bucket in milliseconds.
  virtual absl::StatusOr<std::vector<v1::AnalyzeGroup>> Count(const AnalysisQuery& query) = 0;
  // The time from which on all is counted, where there are more than `records_max` of a kind.
  virtual absl::StatusOr<std::optional<int64_t>> OldestCounted(const AnalysisQuery& query) = 0;
};

}  // namespace bdcsync::conflict
