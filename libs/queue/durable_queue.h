// A queue of work on disk: what Push accepted survives a crash and is handed out until it is
// completed, parked or discarded. Items that share a key are handed out one after another in order;
// all others are independent, so that one item that fails holds up nobody but its followers.
// Bounded in items and bytes. Not thread-safe; calls write to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/queue/turns.h"

namespace bdcsync::sql {
class SqliteDatabase;
class SqliteStatement;
}  // namespace bdcsync::sql

namespace bdcsync::queue {

struct QueueLimits {
  size_t items_max = 100'000;            // Waiting and parked.
  int64_t bytes_max = int64_t{1} << 30;  // Their payloads.
  absl::Duration backoff_initial = absl::Milliseconds(200);
  absl::Duration backoff_max = absl::Seconds(30);
};

struct NewItem {
  std::string lane;               // What Holds asks for, e.g. a space.
  std::vector<std::string> keys;  // What must stay in order, e.g. entities.
  std::string payload;
};

struct Item {
  int64_t id = 0;  // Grows in the order of Push.
  std::string lane;
  std::string payload;
  int attempts = 0;  // Failed ones, since the process started.
  absl::Time enqueued;
};

struct ParkedItem {
  Item item;
  std::string reason;
  absl::Time parked;
};

class DurableQueue {
 public:
  // Opens or creates the file; everything that was in flight waits again. Clock and random are
  // borrowed. FAILED_PRECONDITION: the file is of a newer version; UNAVAILABLE: the disk fails.
  static absl::StatusOr<std::unique_ptr<DurableQueue>> Open(absl::string_view path,
                                                            QueueLimits limits, const Clock& clock,
                                                            Random& random);
  ~DurableQueue();

  // Adds items behind all others, in one transaction: on disk when this returns OK. One status per
  // item; kQuotaExceeded for those that found no room. Not OK: nothing was added.
  absl::StatusOr<std::vector<absl::Status>> Push(absl::Span<const NewItem> items);

  // Hands out the oldest items that are due and not held up by an earlier one of the same key.
  // They are in flight until Complete, Retry or Park.
  absl::StatusOr<std::vector<Item>> Take(size_t items_max, size_t bytes_max);
  // The work is done: forgets the items, and holds up nobody with them any more. Not OK: the file
  // keeps them, as when the disk is full, and so does what it counts against the limits; a later
  // call, which may be of none, takes them out. Whoever opens the file before gets them again.
  absl::Status Complete(absl::Span<const int64_t> ids);
  // The work failed for now: the items are due again after a wait that grows with each attempt,
  // with full jitter. Nothing is written.
  void Retry(absl::Span<const int64_t> ids);
  // The work could not be tried: the items wait again, due at once.
  void Release(absl::Span<const int64_t> ids);
  // The work was refused: keeps the item, with `payload` as what is left of it, aside. What waits
  // behind it under one of `keys`, which are some of its own, is parked too, and returned: it
  // relied on it.
  absl::StatusOr<std::vector<Item>> Park(int64_t id, absl::Span<const std::string> keys,
                                         absl::string_view payload, absl::string_view reason);

  // Parked items after `after_id`, oldest first: no more than `limit`, and no more once there are
  // two of them and they have more than `bytes_max`.
  absl::StatusOr<std::vector<ParkedItem>> ListParked(int64_t after_id, size_t limit,
                                                     size_t bytes_max);
  // Makes parked items wait again, each at its old place, in one transaction. For each id its lane,
  // or kNotFound: none of this id is parked (any more). Not OK: nothing was changed.
  absl::StatusOr<std::vector<absl::StatusOr<std::string>>> Unpark(absl::Span<const int64_t> ids);
  // Deletes parked items for good, in one transaction. For each id OK or kNotFound, as above. Not
  // OK: nothing was deleted.
  absl::StatusOr<std::vector<absl::Status>> Discard(absl::Span<const int64_t> ids);

  // Whether an item of the lane waits or is in flight.
  bool Holds(absl::string_view lane) const { return lanes_.contains(lane); }
  // The lanes that Holds is true for, with the number of their items.
  const absl::flat_hash_map<std::string, size_t>& lanes() const { return lanes_; }
  size_t waiting() const { return entries_.size(); }
  size_t parked() const { return parked_.size(); }
  // Those that are completed, and in the file still.
  size_t kept() const { return kept_.size(); }
  int64_t bytes() const { return bytes_; }
  // When the oldest waiting item was added; nothing when none waits.
  std::optional<absl::Time> oldest() const;
  // How long until an item that waits for its next attempt is due; infinite when there is none.
  absl::Duration NextDue() const;

 private:
  struct Entry {
    std::string lane;
    size_t bytes = 0;
    absl::Time enqueued;
    int attempts = 0;
  };
  // An item as its file has it, but for the payload.
  struct Stored {
    int64_t id = 0;
    Entry entry;
    std::vector<uint64_t> keys;
    bool parked = false;
  };
  struct Statements;

  DurableQueue(std::unique_ptr<sql::SqliteDatabase> database, QueueLimits limits,
               const Clock& clock, Random& random);
  absl::Status Load();
  // Of a row of the statement that loads.
  static Stored StoredOf(const sql::SqliteStatement& row);
  absl::StatusOr<Stored> LoadOne(int64_t id);
  absl::StatusOr<int64_t> Insert(const NewItem& item, absl::string_view keys);
  void Index(int64_t id, Entry entry, std::vector<uint64_t> keys);
  void Unindex(int64_t id);
  absl::StatusOr<Item> Read(int64_t id, const Entry& entry);
  // The places in `ids` of those that are parked, of each id the first.
  std::vector<size_t> FindParked(absl::Span<const int64_t> ids) const;

  const std::unique_ptr<sql::SqliteDatabase> database_;
  const QueueLimits limits_;
  const Clock& clock_;
  Random& random_;
  std::unique_ptr<Statements> statements_;
  std::map<int64_t, Entry> entries_;  // Waiting or in flight, in order.
  Turns turns_;                       // Of the entries, by their keys, on the monotonic clock.
  absl::flat_hash_map<int64_t, size_t> parked_;     // Ids to bytes.
  absl::flat_hash_map<int64_t, size_t> kept_;       // Completed: ids to bytes.
  absl::flat_hash_map<std::string, size_t> lanes_;  // Entries per lane.
  int64_t bytes_ = 0;
};

}  // namespace bdcsync::queue
