// A log record of every write: who did what to which entity, and how it ended. No data.
// Thread-safe.
#pragma once

#include "libs/log/logger.h"
#include "services/gateway/pipeline/middleware.h"

namespace bdcsync::gateway {

class Audit final : public OperationMiddleware {
 public:
  explicit Audit(const log::Logger& logger) : logger_(logger.With({{"log", "audit"}})) {}

  absl::Status Before(const Caller& caller, common::v1::Operation& operation) override;
  void After(const Caller& caller, absl::string_view request_id, common::v1::OperationKind kind,
             const sync::v1::OperationResult& result) override;

 private:
  const log::Logger logger_;
};

}  // namespace bdcsync::gateway
