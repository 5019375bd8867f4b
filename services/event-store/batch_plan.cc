#include "services/event-store/batch_plan.h"

#include <algorithm>

#include "services/event-store/operation_key.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

bool Holds(const v1::Expected& expected, const StreamState& stream) {
  switch (expected.value_case()) {
    case v1::Expected::kNone:
      return stream.revision == 0;
    case v1::Expected::kExists:
      return stream.revision != 0;
    case v1::Expected::kRevision:
      return stream.revision == expected.revision() &&
             (expected.event_id() == 0 || stream.event_id == expected.event_id());
    default:
      return true;
  }
}

bool ExpectsNew(const v1::Expected& expected) {
  return expected.has_none() || (expected.has_revision() && expected.revision() == 0);
}

}  // namespace

BatchPlan::BatchPlan(const LogCache& cache, ItemsOfLogs items) {
  spaces_.reserve(items.size());
  streams_.reserve(items.size());
  items_.reserve(items.size());
  logs_.reserve(items.size());
  stream_index_.reserve(items.size());
  used_.reserve(items.size());
  for (std::pair<uint32_t, PendingItem>& item : items) {
    AddItem(cache, item.first, std::move(item.second));
  }
  Recall(cache);
}

BatchPlan::Space& BatchPlan::SpaceFor(const SpaceName& name) {
  Space*& slot = space_index_[name.space];
  if (slot != nullptr) return *slot;
  slot = &spaces_.emplace_back();
  slot->name = name;
  return *slot;
}

BatchPlan::Stream& BatchPlan::StreamFor(Space& space, const StreamName& name) {
  Stream*& slot = stream_index_[{&space, name.stream}];
  if (slot != nullptr) return *slot;
  slot = &streams_.emplace_back();
  slot->space = &space;
  slot->name = name;
  slot->id = StreamIdOf(name.space, name.stream);
  return *slot;
}

void BatchPlan::AddItem(const LogCache& cache, uint32_t log_id, PendingItem pending) {
  Log*& log = log_index_[log_id];
  if (log == nullptr) {
    log = &logs_.emplace_back();
    log->stored = *cache.FindLog(log_id);
  }
  const v1::AppendItem& request = pending.item();
  Item& item = items_.emplace_back();
  log->items.push_back(&item);
  item.pending = std::move(pending);
  const v1::StreamKey& key = request.stream();
  item.space = &SpaceFor({log_id, key.space()});
  item.stream = &StreamFor(*item.space, {log_id, key.space(), key.name()});
  cache.PrefetchStream(item.stream->id);
  if (request.op_id().empty()) return;
  item.has_operation = true;
  item.operation_name = {log_id, key.space(), OperationKeyOf(request.op_id())};
  cache.PrefetchOperation(item.operation_name);
}

void BatchPlan::Recall(const LogCache& cache) {
  for (Space& space : spaces_) {
    const SpaceState* state = cache.FindSpace(space.name);
    space.known = state != nullptr;
    if (space.known) {
      space.stored = *state;
    } else {
      wanted_spaces_.push_back(&space);
    }
  }
  uint64_t hits = 0;
  for (Stream& stream : streams_) {
    const StreamState* state = cache.FindStream(stream.name.log_id, stream.id);
    if (state == nullptr) continue;
    stream.knowledge = Stream::kKnown;
    stream.stored = *state;
    ++hits;
  }
  cache.CountStreams(hits, streams_.size() - hits);
  for (Item& item : items_) {
    Stream& stream = *item.stream;
    if (stream.knowledge == Stream::kUnknown) {
      if (ExpectsNew(item.pending.item().expected())) {
        stream.knowledge = Stream::kAssumedNew;
      } else if (!stream.wanted) {
        stream.wanted = true;
        wanted_streams_.push_back(&stream);
      }
    }
    if (!item.has_operation) continue;
    item.operation = cache.FindOperation(item.operation_name);
    item.operation_known = item.operation.position != 0;
  }
}

LookupRequest BatchPlan::Wanted() {
  LookupRequest request;
  for (const Space* space : wanted_spaces_) request.spaces.push_back(space->name);
  for (const Stream* stream : wanted_streams_) request.streams.push_back(stream->name);
  for (const Item* item : wanted_operations_) request.operations.push_back(item->operation_name);
  return request;
}

void BatchPlan::Supply(const LookupResult& found) {
  for (std::size_t i = 0; i < wanted_spaces_.size(); ++i) {
    wanted_spaces_[i]->known = true;
    wanted_spaces_[i]->stored = found.spaces[i];
  }
  for (std::size_t i = 0; i < wanted_streams_.size(); ++i) {
    wanted_streams_[i]->knowledge = Stream::kKnown;
    wanted_streams_[i]->stored = found.streams[i];
  }
  for (std::size_t i = 0; i < wanted_operations_.size(); ++i) {
    wanted_operations_[i]->operation_known = true;
    wanted_operations_[i]->operation = found.operations[i];
  }
  wanted_spaces_.clear();
  wanted_streams_.clear();
  wanted_operations_.clear();
}

void BatchPlan::DoubtAssumptions() {
  for (Stream& stream : streams_) {
    if (stream.knowledge != Stream::kAssumedNew) continue;
    wanted_streams_.push_back(&stream);
  }
  for (Item& item : items_) {
    if (item.has_operation && !item.operation_known) wanted_operations_.push_back(&item);
  }
}

bool BatchPlan::Decide(int64_t now_ms) {
  for (Space& space : spaces_) space.now = space.stored;
  for (Stream& stream : streams_) {
    stream.now = stream.stored;
    stream.wanted = false;
  }
  used_.clear();
  for (Log& log : logs_) {
    log.now = log.stored;
    log.now.time_ms = std::max(log.stored.time_ms, now_ms);
    log.appended = 0;
    log.rests_on_memory = false;
    DecideLog(log);
  }
  return wanted_streams_.empty() && wanted_operations_.empty();
}

void BatchPlan::DecideLog(Log& log) {
  const std::vector<Item*>& items = log.items;
  for (std::size_t begin = 0; begin < items.size();) {
    const PendingItem& first = items[begin]->pending;
    const uint32_t group = first.item().atomic_group();
    std::size_t end = begin + 1;
    while (group != 0 && end < items.size() && items[end]->pending.call == first.call &&
           items[end]->pending.item().atomic_group() == group) {
      ++end;
    }
    if (group == 0) {
      DecideItem(log, *items[begin]);
    } else {
      DecideGroup(log, absl::MakeConstSpan(items).subspan(begin, end - begin));
    }
    begin = end;
  }
  for (const Item* item : items) {
    if (item->outcome == Outcome::kAppended) ++log.appended;
    if (item->outcome == Outcome::kMismatch || item->outcome == Outcome::kDuplicate) {
      log.rests_on_memory = true;
    }
  }
}

// All items are of one space. Either all are appended, or none and everything is as before.
void BatchPlan::DecideGroup(Log& log, absl::Span<Item* const> items) {
  const LogState log_before = log.now;
  const SpaceState space_before = items[0]->space->now;
  std::vector<Stream> streams_before;
  streams_before.reserve(items.size());
  bool all_appended = true;
  bool all_duplicate = true;
  for (Item* item : items) {
    streams_before.push_back(*item->stream);
    DecideItem(log, *item);
    all_appended = all_appended && item->outcome == Outcome::kAppended;
    all_duplicate = all_duplicate && item->outcome == Outcome::kDuplicate;
  }
  if (all_appended || all_duplicate) return;
  for (std::size_t i = items.size(); i-- > 0;) {
    Item& item = *items[i];
    if (item.outcome != Outcome::kAppended) continue;
    const bool wanted = item.stream->wanted;
    *item.stream = streams_before[i];
    item.stream->wanted = wanted;
    if (item.has_operation) used_.erase({item.space, item.operation_name.key});
    if (item.has_operation && !item.operation_known) wanted_operations_.push_back(&item);
    item.outcome = Outcome::kDependsOnRejected;
  }
  // What the others refer to may be an event of the group that is not appended after all.
  for (Item* item : items) {
    if (item->refers_to < log_before.next_position) continue;
    if (item->outcome != Outcome::kMismatch) item->outcome = Outcome::kDependsOnRejected;
    item->refers_to = item->stream->now.position;
  }
  items[0]->space->now = space_before;
  log.now = log_before;
}

void BatchPlan::DecideItem(Log& log, Item& item) {
  item.refers_to = 0;
  if (item.has_operation && DecideOperation(item)) return;
  if (!Holds(item.pending.item().expected(), item.stream->now)) {
    Refuse(item, Outcome::kMismatch, item.stream->now.position);
    return;
  }
  Append(log, item);
}

// True if the op_id was used before.
bool BatchPlan::DecideOperation(Item& item) {
  OperationState first = item.operation;
  const auto used = used_.find({item.space, item.operation_name.key});
  if (used != used_.end()) {
    first = {used->second->position, used->second->pending.item().request_hash()};
  }
  if (first.position == 0) return false;
  const bool same = first.request_hash == item.pending.item().request_hash();
  item.outcome = same ? Outcome::kDuplicate : Outcome::kOperationIdReused;
  item.refers_to = same ? first.position : 0;
  return true;
}

// A refusal must not rest on an assumption: what was assumed is wanted, and all decided again.
void BatchPlan::Refuse(Item& item, Outcome outcome, int64_t refers_to) {
  item.outcome = outcome;
  item.refers_to = refers_to;
  if (item.has_operation && !item.operation_known) wanted_operations_.push_back(&item);
  Stream& stream = *item.stream;
  if (stream.knowledge == Stream::kAssumedNew && !stream.wanted) {
    stream.wanted = true;
    wanted_streams_.push_back(&stream);
  }
}

void BatchPlan::Append(Log& log, Item& item) {
  const v1::AppendItem& request = item.pending.item();
  SpaceState& space = item.space->now;
  Stream& stream = *item.stream;
  item.outcome = Outcome::kAppended;
  item.position = log.now.next_position++;
  if (space.space_id == 0) space.space_id = log.now.next_space_id++;
  item.seq = ++space.seq;
  if (stream.now.first_position == 0) {
    stream.now.first_position = item.position;
    stream.now.first_seq = item.seq;
    stream.now.kind = request.kind();
  }
  item.revision = ++stream.now.revision;
  stream.now.position = item.position;
  stream.now.event_id = request.event_id();
  stream.tombstone = request.tombstone();
  if (item.has_operation) used_[{item.space, item.operation_name.key}] = &item;
}

ItemsOfLogs BatchPlan::TakeItems() { return TakeItems(std::vector<bool>(logs_.size(), true)); }

ItemsOfLogs BatchPlan::TakeItems(const std::vector<bool>& chosen) {
  ItemsOfLogs taken;
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    if (!chosen[i]) continue;
    for (Item* item : logs_[i].items) {
      taken.emplace_back(logs_[i].stored.log_id, std::move(item->pending));
    }
  }
  return taken;
}

std::vector<LogWrite> BatchPlan::Writes() const {
  std::vector<LogWrite> writes;
  for (const Log& log : logs_) {
    if (log.appended > 0) writes.push_back(WriteOf(log));
  }
  return writes;
}

LogWrite BatchPlan::WriteOf(const Log& log) const {
  LogWrite write;
  write.log_id = log.stored.log_id;
  write.epoch = log.stored.epoch;
  write.position = log.stored.next_position;
  write.next_position = log.now.next_position;
  write.next_space_id = log.now.next_space_id;
  write.time_ms = log.now.time_ms;
  const auto count = static_cast<std::size_t>(log.appended);
  write.events.reserve(count);
  write.streams.reserve(count);
  write.operations.reserve(count);
  for (const Item* item : log.items) {
    if (item->outcome != Outcome::kAppended) continue;
    const v1::AppendItem& request = item->pending.item();
    const Stream& stream = *item->stream;
    const SpaceState& space = item->space->now;
    write.events.push_back({item->position, space.space_id, item->seq, stream.id, item->revision,
                            request.event_id(), request.tombstone(), request.meta(),
                            request.data()});
    if (item->has_operation) {
      write.operations.push_back(
          {space.space_id, item->operation_name.key, request.request_hash(), item->position});
    }
    // The last item of a space or stream stands for all of them.
    if (item->seq == space.seq && item->space->stored.space_id == 0) {
      write.spaces.push_back({space.space_id, item->space->name.space});
    }
    if (item->position != stream.now.position) continue;
    write.streams.push_back({stream.id, stream.stored.first_position == 0, space.space_id,
                             stream.name.stream, stream.now, item->seq, stream.tombstone});
  }
  return write;
}

void BatchPlan::Remember(const Log& log, LogCache& cache) {
  cache.PutLog(log.now);
  for (const Item* item : log.items) {
    cache.PrefetchStream(item->stream->id);
    if (item->has_operation) cache.PrefetchOperation(item->operation_name);
  }
  for (const Item* item : log.items) {
    if (item->outcome != Outcome::kAppended) continue;
    if (item->seq == item->space->now.seq) cache.PutSpace(item->space->name, item->space->now);
    if (item->position == item->stream->now.position) {
      cache.PutStream(log.now.log_id, item->stream->id, item->stream->now);
    }
    if (!item->has_operation) continue;
    cache.PutOperation(item->operation_name, {item->position, item->pending.item().request_hash()});
  }
}

}  // namespace bdcsync::event_store
