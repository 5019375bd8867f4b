// Decides a batch of appends in memory: which items apply, where, and why the others do not. Pure
// but for the requests it borrows and the cache, which it reads only while it is made. Two
// assumptions save reads and are guarded by unique keys of the storage: an op_id is new, and a
// stream that is expected to be new is new. Not thread-safe.
//
//   BatchPlan plan(cache, items);
//   do { look up plan.wanted() unless empty; plan.Supply(found); } while (!plan.Decide(now_ms));
//   commit plan.Writes()
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "services/event-store/append_call.h"
#include "services/event-store/log_cache.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

class BatchPlan {
 public:
  enum class Outcome {
    kAppended,
    kDuplicate,          // `refers_to` is the event that the op_id was first used for.
    kOperationIdReused,  // The op_id was used for another request.
    kMismatch,           // The expectation was wrong; `refers_to` is the head, 0: none.
    kDependsOnRejected,  // Another item of its group does not apply.
  };
  struct Space {
    SpaceName name;
    bool known = false;
    SpaceState stored;
    SpaceState now;  // As the items so far leave it.
  };
  struct Stream {
    Space* space = nullptr;
    StreamName name;
    StreamId id{};
    enum { kUnknown, kAssumedNew, kKnown } knowledge = kUnknown;
    bool wanted = false;
    StreamState stored;
    StreamState now;
    bool tombstone = false;
  };
  struct Item {
    PendingItem pending;
    Space* space = nullptr;
    Stream* stream = nullptr;
    bool has_operation = false;
    bool operation_known = false;
    OperationName operation_name;
    OperationState operation;
    Outcome outcome = Outcome::kMismatch;
    int64_t refers_to = 0;
    int64_t position = 0;  // The rest is set for kAppended.
    int64_t seq = 0;
    int64_t revision = 0;
  };
  struct Log {
    LogState stored;
    LogState now;
    std::vector<Item*> items;  // In order.
    int appended = 0;
    bool rests_on_memory = false;  // Some outcome shows an event that is only remembered.
  };

  // `cache` must know the head rows of all logs in the batch.
  BatchPlan(const LogCache& cache, ItemsOfLogs items);

  // What must be looked up before the next Decide; may be empty.
  LookupRequest Wanted();
  // The answer to the last Wanted.
  void Supply(const LookupResult& found);
  // Decides every item. False: something more is wanted first.
  bool Decide(int64_t now_ms);
  // Wants everything that was assumed: call it when the storage found an assumption wrong.
  void DoubtAssumptions();

  // One write for each log in which something is appended. Borrows from the requests.
  std::vector<LogWrite> Writes() const;
  // Tells the cache that the writes of `log` are stored.
  static void Remember(const Log& log, LogCache& cache);

  std::vector<Log>& logs() { return logs_; }
  const std::vector<Log>& logs() const { return logs_; }
  // Gives the items back, those of a log in order: all, or those of the `chosen` logs. The plan is
  // of no use for them afterwards.
  ItemsOfLogs TakeItems();
  ItemsOfLogs TakeItems(const std::vector<bool>& chosen);

 private:
  Space& SpaceFor(const SpaceName& name);
  Stream& StreamFor(Space& space, const StreamName& name);
  void AddItem(const LogCache& cache, uint32_t log_id, PendingItem pending);
  // Takes from `cache` what it knows of all that the items name.
  void Recall(const LogCache& cache);
  void DecideLog(Log& log);
  void DecideGroup(Log& log, absl::Span<Item* const> items);
  void DecideItem(Log& log, Item& item);
  bool DecideOperation(Item& item);
  void Refuse(Item& item, Outcome outcome, int64_t refers_to);
  void Append(Log& log, Item& item);
  LogWrite WriteOf(const Log& log) const;

  // Reserved for as many as there are items, so that addresses stay.
  std::vector<Space> spaces_;
  std::vector<Stream> streams_;
  std::vector<Item> items_;
  std::vector<Log> logs_;
  absl::flat_hash_map<absl::string_view, Space*> space_index_;
  absl::flat_hash_map<std::pair<const Space*, absl::string_view>, Stream*> stream_index_;
  absl::flat_hash_map<uint32_t, Log*> log_index_;
  // The op_ids that this batch appends.
  absl::flat_hash_map<std::pair<const Space*, OperationKey>, const Item*> used_;
  std::vector<Space*> wanted_spaces_;
  std::vector<Stream*> wanted_streams_;
  std::vector<Item*> wanted_operations_;
};

}  // namespace bdcsync::event_store
