#include "libs/queue/durable_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/queue/migrations.h"
#include "libs/sql/sqlite.h"

namespace bdcsync::queue {
namespace {

constexpr char kInsert[] =
    "INSERT INTO items (lane, keys, payload, enqueued_ms) VALUES (?1, ?2, ?3, ?4) RETURNING id";
constexpr char kRead[] = "SELECT payload FROM items WHERE id = ?1";
constexpr char kDelete[] = "DELETE FROM items WHERE id = ?1";
constexpr char kPark[] = "UPDATE items SET parked_ms = ?2, reason = ?3, payload = ?4 WHERE id = ?1";
constexpr char kUnpark[] = "UPDATE items SET parked_ms = NULL, reason = '' WHERE id = ?1";
constexpr char kList[] =
    "SELECT id, lane, payload, enqueued_ms, parked_ms, reason FROM items "
    "WHERE parked_ms IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2";
constexpr char kLoad[] =
    "SELECT id, lane, keys, length(payload), enqueued_ms, parked_ms IS NOT NULL FROM items "
    "WHERE id >= ?1 AND id <= ?2 ORDER BY id";

// Why the followers of a refused item are parked.
constexpr absl::string_view kFollows = "depends_on_rejected";

std::string PackKeys(const std::vector<std::string>& keys) {
  std::string packed;
  for (const std::string& key : keys) {
    const uint64_t hash = StableHash64(key);
    for (int shift = 56; shift >= 0; shift -= 8) packed.push_back(static_cast<char>(hash >> shift));
  }
  return packed;
}

std::vector<uint64_t> UnpackKeys(absl::string_view packed) {
  std::vector<uint64_t> keys(packed.size() / sizeof(uint64_t));
  for (size_t i = 0; i < keys.size() * sizeof(uint64_t); ++i) {
    uint64_t& key = keys[i / sizeof(uint64_t)];
    key = key << 8 | static_cast<unsigned char>(packed[i]);
  }
  // Each once: an item is behind itself under no key.
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

absl::Status NoneParked() { return MakeError(Reason::kNotFound, "no such parked item"); }

}  // namespace

struct DurableQueue::Statements {
  sql::SqliteStatement insert, read, remove, park, unpark, list, load;

  static absl::StatusOr<Statements> Prepare(sql::SqliteDatabase& database) {
    Statements statements;
    ASSIGN_OR_RETURN(statements.insert, database.Prepare(kInsert));
    ASSIGN_OR_RETURN(statements.read, database.Prepare(kRead));
    ASSIGN_OR_RETURN(statements.remove, database.Prepare(kDelete));
    ASSIGN_OR_RETURN(statements.park, database.Prepare(kPark));
    ASSIGN_OR_RETURN(statements.unpark, database.Prepare(kUnpark));
    ASSIGN_OR_RETURN(statements.list, database.Prepare(kList));
    ASSIGN_OR_RETURN(statements.load, database.Prepare(kLoad));
    return statements;
  }
};

absl::StatusOr<std::unique_ptr<DurableQueue>> DurableQueue::Open(absl::string_view path,
                                                                 QueueLimits limits,
                                                                 const Clock& clock,
                                                                 Random& random) {
  ASSIGN_OR_RETURN(auto database, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
  RETURN_IF_ERROR(sql::ApplyMigrations(*database, Migrations()));
  auto queue =
      std::unique_ptr<DurableQueue>(new DurableQueue(std::move(database), limits, clock, random));
  RETURN_IF_ERROR(queue->Load());
  return queue;
}

DurableQueue::DurableQueue(std::unique_ptr<sql::SqliteDatabase> database, QueueLimits limits,
                           const Clock& clock, Random& random)
    : database_(std::move(database)), limits_(limits), clock_(clock), random_(random) {}

DurableQueue::~DurableQueue() = default;

absl::Status DurableQueue::Load() {
  ASSIGN_OR_RETURN(Statements statements, Statements::Prepare(*database_));
  statements_ = std::make_unique<Statements>(std::move(statements));
  sql::SqliteStatement& load = statements_->load;
  load.BindInt64(1, 0);
  load.BindInt64(2, std::numeric_limits<int64_t>::max());
  while (true) {
    ASSIGN_OR_RETURN(const bool found, load.Step());
    if (!found) break;
    Stored stored = StoredOf(load);
    bytes_ += static_cast<int64_t>(stored.entry.bytes);
    if (stored.parked) {
      parked_[stored.id] = stored.entry.bytes;
    } else {
      Index(stored.id, std::move(stored.entry), std::move(stored.keys));
    }
  }
  load.Reset();
  return absl::OkStatus();
}

DurableQueue::Stored DurableQueue::StoredOf(const sql::SqliteStatement& row) {
  Stored stored{.id = row.Int64(0), .keys = UnpackKeys(row.Blob(2)), .parked = row.Int64(5) != 0};
  stored.entry.lane = std::string(row.Text(1));
  stored.entry.bytes = static_cast<size_t>(row.Int64(3));
  stored.entry.enqueued = absl::FromUnixMillis(row.Int64(4));
  return stored;
}

void DurableQueue::Index(int64_t id, Entry entry, std::vector<uint64_t> keys) {
  turns_.Add(id, std::move(keys));
  ++lanes_[entry.lane];
  entries_.emplace(id, std::move(entry));
}

void DurableQueue::Unindex(int64_t id) {
  turns_.Remove(id);
  const auto entry = entries_.find(id);
  const auto lane = lanes_.find(entry->second.lane);
  if (--lane->second == 0) lanes_.erase(lane);
  entries_.erase(entry);
}

absl::StatusOr<int64_t> DurableQueue::Insert(const NewItem& item, absl::string_view keys) {
  sql::SqliteStatement& insert = statements_->insert;
  insert.BindText(1, item.lane);
  insert.BindBlob(2, keys);
  insert.BindBlob(3, item.payload);
  insert.BindInt64(4, absl::ToUnixMillis(clock_.Now()));
  const absl::StatusOr<bool> stepped = insert.Step();
  const int64_t id = stepped.ok() && *stepped ? insert.Int64(0) : 0;
  insert.Reset();
  RETURN_IF_ERROR(stepped.status());
  if (id == 0) return MakeError(Reason::kInternal, "the queue's database gave no id");
  return id;
}

absl::StatusOr<std::vector<absl::Status>> DurableQueue::Push(absl::Span<const NewItem> items) {
  std::vector<absl::Status> statuses(items.size());
  struct Added {
    int64_t id;
    Entry entry;
    std::vector<uint64_t> keys;
  };
  std::vector<Added> added;
  int64_t bytes = bytes_;
  const absl::Status written = database_->Transaction([&]() -> absl::Status {
    for (size_t i = 0; i < items.size(); ++i) {
      const auto size = static_cast<int64_t>(items[i].payload.size());
      const size_t count = entries_.size() + parked_.size() + kept_.size() + added.size();
      if (count >= limits_.items_max || bytes + size > limits_.bytes_max) {
        statuses[i] = MakeRetryableError(Reason::kQuotaExceeded, limits_.backoff_max,
                                         "the queue for later is full");
        continue;
      }
      const std::string keys = PackKeys(items[i].keys);
      ASSIGN_OR_RETURN(const int64_t id, Insert(items[i], keys));
      bytes += size;
      Entry entry{
          .lane = items[i].lane, .bytes = items[i].payload.size(), .enqueued = clock_.Now()};
      added.push_back({id, std::move(entry), UnpackKeys(keys)});
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(written);
  bytes_ = bytes;
  for (auto& [id, entry, keys] : added) Index(id, std::move(entry), std::move(keys));
  return statuses;
}

absl::StatusOr<Item> DurableQueue::Read(int64_t id, const Entry& entry) {
  sql::SqliteStatement& read = statements_->read;
  read.BindInt64(1, id);
  const absl::StatusOr<bool> found = read.Step();
  Item item{.id = id, .lane = entry.lane, .attempts = entry.attempts, .enqueued = entry.enqueued};
  if (found.ok() && *found) item.payload = std::string(read.Blob(0));
  read.Reset();
  RETURN_IF_ERROR(found.status());
  if (!*found) return MakeError(Reason::kInternal, "an item of the queue is gone from its file");
  return item;
}

absl::StatusOr<std::vector<Item>> DurableQueue::Take(size_t items_max, size_t bytes_max) {
  std::vector<Item> items;
  size_t bytes = 0;
  for (const int64_t id : turns_.Ready(clock_.Monotonic())) {
    if (items.size() >= items_max) break;
    const Entry& entry = entries_.find(id)->second;
    if (!items.empty() && bytes + entry.bytes > bytes_max) break;
    ASSIGN_OR_RETURN(Item item, Read(id, entry));
    bytes += entry.bytes;
    items.push_back(std::move(item));
  }
  for (const Item& item : items) turns_.Take(item.id);
  return items;
}

absl::Status DurableQueue::Complete(absl::Span<const int64_t> ids) {
  for (const int64_t id : ids) {
    kept_[id] = entries_.find(id)->second.bytes;
    Unindex(id);
  }
  if (kept_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    for (const auto& [id, bytes] : kept_) {
      statements_->remove.BindInt64(1, id);
      RETURN_IF_ERROR(statements_->remove.Run());
    }
    return absl::OkStatus();
  }));
  for (const auto& [id, bytes] : kept_) bytes_ -= static_cast<int64_t>(bytes);
  kept_.clear();
  return absl::OkStatus();
}

void DurableQueue::Retry(absl::Span<const int64_t> ids) {
  const absl::Duration now = clock_.Monotonic();
  for (const int64_t id : ids) {
    Entry& entry = entries_.find(id)->second;
    constexpr int kDoublingsMax = 30;
    const double factor = static_cast<double>(1 << std::min(entry.attempts, kDoublingsMax));
    const absl::Duration ceiling = std::min(limits_.backoff_initial * factor, limits_.backoff_max);
    turns_.Return(id, now + ceiling * random_.Fraction());
    ++entry.attempts;
  }
}

void DurableQueue::Release(absl::Span<const int64_t> ids) {
  for (const int64_t id : ids) turns_.Return(id, clock_.Monotonic());
}

absl::StatusOr<std::vector<Item>> DurableQueue::Park(int64_t id, absl::Span<const std::string> keys,
                                                     absl::string_view payload,
                                                     absl::string_view reason) {
  std::vector<uint64_t> refused;
  for (const std::string& key : keys) refused.push_back(StableHash64(key));
  std::vector<Item> followers;
  for (const int64_t follower : turns_.Behind(id, refused)) {
    ASSIGN_OR_RETURN(Item item, Read(follower, entries_.find(follower)->second));
    followers.push_back(std::move(item));
  }
  const int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  const auto park = [&](int64_t parked, absl::string_view why, absl::string_view rest) {
    statements_->park.BindInt64(1, parked);
    statements_->park.BindInt64(2, now_ms);
    statements_->park.BindText(3, why);
    statements_->park.BindBlob(4, rest);
    return statements_->park.Run();
  };
  RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    RETURN_IF_ERROR(park(id, reason, payload));
    for (const Item& follower : followers) {
      RETURN_IF_ERROR(park(follower.id, kFollows, follower.payload));
    }
    return absl::OkStatus();
  }));
  bytes_ +=
      static_cast<int64_t>(payload.size()) - static_cast<int64_t>(entries_.find(id)->second.bytes);
  parked_[id] = payload.size();
  Unindex(id);
  for (const Item& follower : followers) {
    parked_[follower.id] = follower.payload.size();
    Unindex(follower.id);
  }
  return followers;
}

absl::StatusOr<std::vector<ParkedItem>> DurableQueue::ListParked(int64_t after_id, size_t limit,
                                                                 size_t bytes_max) {
  sql::SqliteStatement& list = statements_->list;
  list.BindInt64(1, after_id);
  list.BindInt64(2, static_cast<int64_t>(limit));
  std::vector<ParkedItem> items;
  size_t bytes = 0;
  absl::StatusOr<bool> found = list.Step();
  for (; found.ok() && *found; found = list.Step()) {
    ParkedItem& parked = items.emplace_back();
    parked.item.id = list.Int64(0);
    parked.item.lane = std::string(list.Text(1));
    parked.item.payload = std::string(list.Blob(2));
    parked.item.enqueued = absl::FromUnixMillis(list.Int64(3));
    parked.parked = absl::FromUnixMillis(list.Int64(4));
    parked.reason = std::string(list.Text(5));
    bytes += parked.item.payload.size();
    if (bytes > bytes_max && items.size() > 1) break;
  }
  list.Reset();
  RETURN_IF_ERROR(found.status());
  return items;
}

std::vector<size_t> DurableQueue::FindParked(absl::Span<const int64_t> ids) const {
  std::vector<size_t> found;
  absl::flat_hash_set<int64_t> seen;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (parked_.contains(ids[i]) && seen.insert(ids[i]).second) found.push_back(i);
  }
  return found;
}

absl::StatusOr<DurableQueue::Stored> DurableQueue::LoadOne(int64_t id) {
  sql::SqliteStatement& load = statements_->load;
  load.BindInt64(1, id);
  load.BindInt64(2, id);
  absl::StatusOr<bool> found = load.Step();
  Stored stored;
  if (found.ok() && *found) stored = StoredOf(load);
  load.Reset();
  RETURN_IF_ERROR(found.status());
  if (!*found) return MakeError(Reason::kInternal, "an item of the queue is gone from its file");
  return stored;
}

absl::StatusOr<std::vector<absl::StatusOr<std::string>>> DurableQueue::Unpark(
    absl::Span<const int64_t> ids) {
  const std::vector<size_t> places = FindParked(ids);
  std::vector<Stored> unparked;
  RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    for (const size_t place : places) {
      ASSIGN_OR_RETURN(Stored stored, LoadOne(ids[place]));
      unparked.push_back(std::move(stored));
      statements_->unpark.BindInt64(1, ids[place]);
      RETURN_IF_ERROR(statements_->unpark.Run());
    }
    return absl::OkStatus();
  }));
  std::vector<absl::StatusOr<std::string>> lanes(ids.size(), NoneParked());
  for (size_t i = 0; i < places.size(); ++i) {
    lanes[places[i]] = unparked[i].entry.lane;
    parked_.erase(unparked[i].id);
    Index(unparked[i].id, std::move(unparked[i].entry), std::move(unparked[i].keys));
  }
  return lanes;
}

absl::StatusOr<std::vector<absl::Status>> DurableQueue::Discard(absl::Span<const int64_t> ids) {
  const std::vector<size_t> places = FindParked(ids);
  RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    for (const size_t place : places) {
      statements_->remove.BindInt64(1, ids[place]);
      RETURN_IF_ERROR(statements_->remove.Run());
    }
    return absl::OkStatus();
  }));
  std::vector<absl::Status> statuses(ids.size(), NoneParked());
  for (const size_t place : places) {
    statuses[place] = absl::OkStatus();
    const auto parked = parked_.find(ids[place]);
    bytes_ -= static_cast<int64_t>(parked->second);
    parked_.erase(parked);
  }
  return statuses;
}

std::optional<absl::Time> DurableQueue::oldest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.begin()->second.enqueued;
}

absl::Duration DurableQueue::NextDue() const {
  return std::max(turns_.NextReady() - clock_.Monotonic(), absl::ZeroDuration());
}

}  // namespace bdcsync::queue
