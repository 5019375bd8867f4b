// What the log says about conflicts: for each entity with conflicts one stream of facts, whose head
// holds those that are open, and for each conflict one branch of the entity, which a seal ends.
// Names, and the events that open and close a conflict. Pure functions of values. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/entity/conflict_name.h"
#include "services/version/entity_state.h"

namespace bdcsync::version {

// Conflicts about one entity that are open at once; beyond that nobody is asked.
inline constexpr int kOpenConflictsMax = 64;
// What the log keeps of one conflict; with more, its places are told as one for the whole value.
inline constexpr size_t kFactBytesMax = size_t{32} << 10;

std::string ConflictBranch(absl::string_view conflict_id);
// The stream of facts about the entity.
void SetFactsStream(const common::v1::EntityKey& entity, event_store::v1::StreamKey& stream);
// The stream of the entity's branch; empty: main.
void SetBranchStream(const common::v1::EntityKey& entity, absl::string_view branch,
                     event_store::v1::StreamKey& stream);
// 32 lower-case hexadecimal digits.
bool IsConflictId(absl::string_view id);

// The op_ids under which the log finds how a conflict was closed: its merge on main, and its fact.
std::string ClosingOperationId(absl::string_view conflict_id);
std::string ClosingFactId(absl::string_view conflict_id);
// The op_id of a version that takes a resolution back; `digest` has 32 hexadecimal digits.
std::string UndoOperationId(absl::string_view digest);
// Whether the op_id is one of the service's own; a client may not use it.
bool IsReservedOperationId(absl::string_view op_id);

// The head of a stream of facts.
struct FactsHead {
  int64_t revision = 0;  // 0: there never was a conflict.
  uint64_t event_id = 0;
  v1::OpenConflicts open;

  // Null when the conflict is not open.
  const conflict::v1::Conflict* Find(absl::string_view conflict_id) const;
  bool full() const { return open.conflicts_size() >= kOpenConflictsMax; }
};
FactsHead FactsHeadAfter(const event_store::v1::Event& event);

// The conflict without the values that meet, which the log has in its versions anyway.
conflict::v1::Conflict WithoutValues(const conflict::v1::Conflict& conflict);

// The fact that `conflict` is open, or, with any other state, closed; it follows `head`. A closing
// one is found by its op_id and `request_hash`.
void FillFact(const conflict::v1::Conflict& conflict, const FactsHead& head, uint64_t event_id,
              uint64_t request_hash, event_store::v1::AppendItem& item);

// The end of the conflict's branch, after which nobody writes to it; it follows `head`.
void FillSeal(const conflict::v1::Conflict& conflict, const EntityState& head, uint64_t event_id,
              event_store::v1::AppendItem& item);
// Whether a version is such an end.
bool IsSeal(const v1::VersionMeta& meta);

}  // namespace bdcsync::version
