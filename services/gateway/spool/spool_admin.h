// Parked operations of the spool, on the spool's thread. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "services/gateway/spool/parked_operations.h"
#include "services/gateway/spool/spool.h"
#include "services/gateway/spool/spool_metrics.h"

namespace bdcsync::gateway {

class SpoolAdmin final : public ParkedOperations {
 public:
  // Both are borrowed.
  SpoolAdmin(Spool& spool, SpoolMetrics& metrics) : spool_(spool), metrics_(metrics) {}

  void List(int64_t after_id, size_t limit, size_t bytes_max,
            Done<std::vector<ParkedGroup>> done) override;
  void Retry(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) override;
  void Discard(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) override;

 private:
  Spool& spool_;
  SpoolMetrics& metrics_;
};

}  // namespace bdcsync::gateway
