#include "services/event-store/log_cache.h"

#include <algorithm>

#include "absl/hash/hash.h"

namespace bdcsync::event_store {
namespace {

void AppendLog(uint32_t log_id, std::string& key) {
  key.append(reinterpret_cast<const char*>(&log_id), sizeof(log_id));
}

}  // namespace

absl::string_view LogCache::KeyOf(const SpaceName& name) {
  key_.clear();
  AppendLog(name.log_id, key_);
  key_.append(name.space.data(), name.space.size());
  return key_;
}

absl::string_view LogCache::KeyOf(const StreamName& name) {
  key_.clear();
  AppendLog(name.log_id, key_);
  key_.append(name.space.data(), name.space.size());
  key_.push_back('\0');  // In no name.
  key_.append(name.stream.data(), name.stream.size());
  return key_;
}

LogCache::OperationId LogCache::IdOf(const OperationName& name) {
  return {name.key, absl::HashOf(name.space)};
}

const LogState* LogCache::FindLog(uint32_t log_id) const {
  const auto found = logs_.find(log_id);
  return found == logs_.end() ? nullptr : &found->second;
}

const SpaceState* LogCache::FindSpace(const SpaceName& name) { return spaces_.Find(KeyOf(name)); }
void LogCache::PutSpace(const SpaceName& name, const SpaceState& state) {
  spaces_.Put(KeyOf(name), state);
}
const StreamState* LogCache::FindStream(const StreamName& name) {
  return streams_.Find(KeyOf(name));
}
void LogCache::PutStream(const StreamName& name, const StreamState& state) {
  streams_.Put(KeyOf(name), state);
}

OperationState LogCache::FindOperation(const OperationName& name) const {
  const auto found = operations_.find(IdOf(name));
  if (found == operations_.end()) return OperationState();
  const LogState* log = FindLog(found->second.log_id);
  const bool same_history = log != nullptr && log->epoch == found->second.epoch;
  return same_history ? found->second.state : OperationState();
}

void LogCache::PutOperation(const OperationName& name, const OperationState& state) {
  const LogState* log = FindLog(name.log_id);
  if (log == nullptr) return;
  const OperationId id = IdOf(name);
  if (operations_.insert_or_assign(id, Operation{name.log_id, log->epoch, state}).second) {
    operation_order_.push_back(id);
  }
  while (operation_order_.size() > limits_.operations_max) {
    operations_.erase(operation_order_.front());
    operation_order_.pop_front();
  }
}

void LogCache::Apply(const v1::Event& event) {
  const std::string& space_name = event.stream().space();
  const SpaceName space{event.log_id(), space_name};
  if (SpaceState* state = spaces_.Find(KeyOf(space)); state != nullptr) {
    state->seq = std::max(state->seq, event.seq());
  }
  const StreamName stream{event.log_id(), space_name, event.stream().name()};
  StreamState* state = streams_.Find(KeyOf(stream));
  if (state == nullptr || state->position >= event.position()) return;
  state->revision = event.revision();
  state->position = event.position();
  state->event_id = event.event_id();
}

void LogCache::Forget(uint32_t log_id) {
  std::string prefix;
  AppendLog(log_id, prefix);
  spaces_.ErasePrefix(prefix);
  streams_.ErasePrefix(prefix);
  absl::erase_if(operations_,
                 [log_id](const auto& entry) { return entry.second.log_id == log_id; });
  operation_order_.erase(
      std::remove_if(operation_order_.begin(), operation_order_.end(),
                     [this](const OperationId& id) { return !operations_.contains(id); }),
      operation_order_.end());
}

}  // namespace bdcsync::event_store
