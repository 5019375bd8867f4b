#include "services/event-store/log_memory.h"

#include <algorithm>

#include "libs/base/status.h"

namespace bdcsync::event_store {
namespace {

constexpr int64_t kCatchUpEventsMax = 4096;  // More of another's events: forget instead.
constexpr int64_t kCatchUpBytesMax = 16 << 20;

}  // namespace

bool LogMemory::Knows(const ItemsOfLogs& items) const {
  return std::all_of(items.begin(), items.end(), [this](const auto& item) {
    return cache_.FindLog(item.first) != nullptr && !stale_.contains(item.first);
  });
}

absl::Status LogMemory::Refresh(const ItemsOfLogs& items) {
  std::vector<uint32_t> log_ids;
  for (const auto& [log_id, pending] : items) {
    if (cache_.FindLog(log_id) != nullptr && !stale_.contains(log_id)) continue;
    log_ids.push_back(log_id);
  }
  if (log_ids.empty()) return absl::OkStatus();
  std::sort(log_ids.begin(), log_ids.end());
  log_ids.erase(std::unique(log_ids.begin(), log_ids.end()), log_ids.end());
  ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs(log_ids));
  for (const LogState& log : logs) RETURN_IF_ERROR(Take(log));
  return absl::OkStatus();
}

absl::Status LogMemory::Take(LogState fresh) {
  const LogState* known = cache_.FindLog(fresh.log_id);
  if (known != nullptr && known->epoch != fresh.epoch) {
    cache_.Forget(fresh.log_id);
  } else if (known != nullptr && fresh.next_position < known->next_position) {
    // Events that were answered are gone. Nobody may mistake what follows for the old history.
    const uint64_t epoch = random_.Bits64();
    RETURN_IF_ERROR(storage_.ReplaceEpoch(fresh, epoch));
    fresh.epoch = epoch;
    cache_.Forget(fresh.log_id);
    observer_.HistoryLost(fresh.log_id);
  } else if (known != nullptr && fresh.next_position > known->next_position) {
    RETURN_IF_ERROR(CatchUp(*known, fresh));
  }
  cache_.PutLog(fresh);
  stale_.erase(fresh.log_id);
  return absl::OkStatus();
}

absl::Status LogMemory::CatchUp(const LogState& known, const LogState& fresh) {
  const int64_t missed = fresh.next_position - known.next_position;
  if (missed > kCatchUpEventsMax) {
    cache_.Forget(fresh.log_id);
    return absl::OkStatus();
  }
  LogRead read;
  read.log_id = fresh.log_id;
  read.after_position = known.next_position - 1;
  read.limit = static_cast<int>(missed);
  read.with_data = false;
  read.bytes_max = kCatchUpBytesMax;
  ASSIGN_OR_RETURN(const v1::ReadLogResponse page, storage_.ReadLog(read));
  if (page.events_size() < missed) {
    cache_.Forget(fresh.log_id);
    return absl::OkStatus();
  }
  for (const v1::Event& event : page.events()) cache_.Apply(event);
  return absl::OkStatus();
}

void LogMemory::Remember(const BatchPlan& plan, const std::vector<bool>& stored) {
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const BatchPlan::Log& log = plan.logs()[i];
    if (stored[i] && log.appended > 0) BatchPlan::Remember(log, cache_);
  }
}

void LogMemory::Forget(const BatchPlan& plan) {
  for (const BatchPlan::Log& log : plan.logs()) cache_.Forget(log.stored.log_id);
}

void LogMemory::TakeBack(const BatchPlan::Log& log) {
  cache_.Forget(log.stored.log_id);
  cache_.PutLog(log.stored);
}

}  // namespace bdcsync::event_store
