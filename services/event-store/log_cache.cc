#include "services/event-store/log_cache.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

// What an entry takes in a hash table that is between half and seven eighths full, about.
template <typename Key, typename Value>
constexpr std::size_t kEntryBytes = (sizeof(std::pair<const Key, Value>) + 1) * 3 / 2;

}  // namespace

LogCache::OperationId LogCache::IdOf(const OperationName& name) {
  return {name.key, absl::HashOf(name.space)};
}

const LogState* LogCache::FindLog(uint32_t log_id) const {
  const auto found = logs_.find(log_id);
  return found == logs_.end() ? nullptr : &found->second;
}

const SpaceState* LogCache::FindSpace(const SpaceName& name) const {
  const Space* space = spaces_.Find(name.space);
  return space != nullptr && space->log_id == name.log_id ? &space->state : nullptr;
}
void LogCache::PutSpace(const SpaceName& name, const SpaceState& state) {
  spaces_.Put(std::string(name.space.data(), name.space.size()), Space{name.log_id, state},
              kEntryBytes<std::string, Space> + name.space.size());
}

const StreamState* LogCache::FindStream(uint32_t log_id, const StreamId& id) const {
  const Stream* stream = streams_.Find(id);
  return stream != nullptr && stream->log_id == log_id ? &stream->state : nullptr;
}
void LogCache::PutStream(uint32_t log_id, const StreamId& id, const StreamState& state) {
  streams_.Put(id, Stream{log_id, state}, kEntryBytes<StreamId, Stream>);
}

OperationState LogCache::FindOperation(const OperationName& name) const {
  const Operation* found = operations_.Find(IdOf(name));
  if (found == nullptr) return OperationState();
  const LogState* log = FindLog(found->log_id);
  const bool same_history = log != nullptr && log->epoch == found->epoch;
  return same_history ? found->state : OperationState();
}

void LogCache::PutOperation(const OperationName& name, const OperationState& state) {
  const LogState* log = FindLog(name.log_id);
  if (log == nullptr) return;
  operations_.Put(IdOf(name), Operation{name.log_id, log->epoch, state}, 1);
}

void LogCache::Apply(const v1::Event& event) {
  const std::string& space_name = event.stream().space();
  const SpaceName space{event.log_id(), space_name};
  if (const SpaceState* known = FindSpace(space); known != nullptr) {
    SpaceState state = *known;
    state.seq = std::max(state.seq, event.seq());
    PutSpace(space, state);
  }
  const StreamId stream = StreamIdOf(space_name, event.stream().name());
  const StreamState* known = FindStream(event.log_id(), stream);
  if (known == nullptr || known->position >= event.position()) return;
  StreamState state = *known;
  state.revision = event.revision();
  state.position = event.position();
  state.event_id = event.event_id();
  PutStream(event.log_id(), stream, state);
}

void LogCache::Forget(uint32_t log_id) {
  const auto of_log = [log_id](const auto& entry) { return entry.log_id == log_id; };
  spaces_.EraseIf(of_log);
  streams_.EraseIf(of_log);
  operations_.EraseIf(of_log);
}

void LogCache::CountStreams(uint64_t hits, uint64_t misses) const {
  hits_.fetch_add(hits, std::memory_order_relaxed);
  misses_.fetch_add(misses, std::memory_order_relaxed);
}

}  // namespace bdcsync::event_store
