#include "services/gateway/spool/spool_admin.h"

#include <memory>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::gateway {
namespace {

absl::StatusOr<std::vector<ParkedGroup>> ReadParked(queue::DurableQueue& queue, int64_t after_id,
                                                    size_t limit, size_t bytes_max) {
  ASSIGN_OR_RETURN(std::vector<queue::ParkedItem> items,
                   queue.ListParked(after_id, limit, bytes_max));
  std::vector<ParkedGroup> groups;
  for (queue::ParkedItem& item : items) {
    ParkedGroup& group = groups.emplace_back();
    group.id = item.item.id;
    group.space = std::move(item.item.lane);
    group.reason = std::move(item.reason);
    group.stored = item.item.enqueued;
    group.parked = item.parked;
    group.bytes = item.item.payload.size();
    group.operations.ParseFromString(item.item.payload);
  }
  return groups;
}

// Runs `work` on the spool's thread and hands its result to `done`, or says that there is none.
template <typename Result, typename Work>
void DoOn(Spool& spool, ParkedOperations::Done<Result> done, Work work) {
  // Shared, since only one of the two ways is taken.
  auto held = std::make_shared<ParkedOperations::Done<Result>>(std::move(done));
  const bool queued = spool.Do(
      [held, work = std::move(work)](queue::DurableQueue& queue) { (*held)(work(queue)); });
  if (!queued) (*held)(MakeError(Reason::kUnavailable, "the gateway is stopping"));
}

}  // namespace

void SpoolAdmin::List(int64_t after_id, size_t limit, size_t bytes_max,
                      Done<std::vector<ParkedGroup>> done) {
  DoOn<std::vector<ParkedGroup>>(spool_, std::move(done),
                                 [after_id, limit, bytes_max](queue::DurableQueue& queue) {
                                   return ReadParked(queue, after_id, limit, bytes_max);
                                 });
}

void SpoolAdmin::Retry(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) {
  using Statuses = absl::StatusOr<std::vector<absl::Status>>;
  DoOn<std::vector<absl::Status>>(
      spool_, std::move(done),
      [this, ids = std::move(ids)](queue::DurableQueue& queue) -> Statuses {
        ASSIGN_OR_RETURN(const auto spaces, queue.Unpark(ids));
        std::vector<absl::Status> statuses;
        for (size_t i = 0; i < ids.size(); ++i) {
          statuses.push_back(spaces[i].status());
          if (!spaces[i].ok()) continue;
          spool_.OnUnparked(ids[i], *spaces[i]);
          metrics_.retried.Add();
        }
        return statuses;
      });
}

void SpoolAdmin::Discard(std::vector<int64_t> ids, Done<std::vector<absl::Status>> done) {
  using Statuses = absl::StatusOr<std::vector<absl::Status>>;
  DoOn<std::vector<absl::Status>>(
      spool_, std::move(done),
      [this, ids = std::move(ids)](queue::DurableQueue& queue) -> Statuses {
        ASSIGN_OR_RETURN(auto statuses, queue.Discard(ids));
        for (const absl::Status& status : statuses) {
          if (status.ok()) metrics_.discarded.Add();
        }
        return statuses;
      });
}

}  // namespace bdcsync::gateway
