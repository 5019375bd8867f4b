// Reads of entities and their history for sessions and gRPC callers: what the caller may not see is
// not found. Heads, versions and history come from the version service, lists from the log.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/gateway/feed/event_reader.h"
#include "services/gateway/pipeline/pipeline_metrics.h"
#include "services/gateway/pipeline/version_client.h"
#include "services/gateway/session/reads.h"

namespace bdcsync::gateway {

struct ReadLimits {
  int32_t list_entities_max = 1000;
  int32_t list_entities_default = 100;
  int64_t list_bytes_max = 1 << 20;      // limits.list_bytes_max: of data, in one answer.
  int64_t log_page_bytes_max = 4 << 20;  // Of data and meta in one page of the log.
  int32_t log_page_rows_max = 1000;      // Of a page of the log, when those before held too few.
  int32_t list_pages_max = 16;           // Pages of the log read for one answer, when few match.
};

// Whether the caller may read the space; NOT_FOUND when it may not.
absl::Status MayRead(const Caller& caller, absl::string_view space);

class EntityReader final : public EntityReads {
 public:
  // All are borrowed.
  EntityReader(VersionClient& version, EventReader& events, PipelineMetrics& metrics,
               ReadLimits limits)
      : version_(version), events_(events), metrics_(metrics), limits_(limits) {}

  void GetEntity(std::shared_ptr<const Caller> caller, sync::v1::GetEntityRequest request,
                 Done<sync::v1::GetEntityResponse> done) override;
  void ListEntities(std::shared_ptr<const Caller> caller, sync::v1::ListEntitiesRequest request,
                    Done<sync::v1::ListEntitiesResponse> done) override;
  void GetHistory(std::shared_ptr<const Caller> caller, sync::v1::GetHistoryRequest request,
                  Done<sync::v1::GetHistoryResponse> done) override;
  void Diff(std::shared_ptr<const Caller> caller, sync::v1::DiffRequest request,
            Done<sync::v1::DiffResponse> done) override;

 private:
  struct Listing;
  size_t ReplicaOf(absl::string_view space) const;
  void ListPage(std::shared_ptr<Listing> listing);
  // Tells of each entity from `begin` on whether a conflict about it is open, asking about
  // `at_once` of them in a call, then ends the listing.
  void AddConflicts(const std::shared_ptr<Listing>& listing, int begin, int at_once);
  void OnListPage(const std::shared_ptr<Listing>& listing,
                  absl::StatusOr<event_store::v1::ReadSpaceResponse> page);
  bool TakeRows(Listing& listing, event_store::v1::ReadSpaceResponse& page) const;

  VersionClient& version_;
  EventReader& events_;
  PipelineMetrics& metrics_;
  const ReadLimits limits_;
};

}  // namespace bdcsync::gateway
