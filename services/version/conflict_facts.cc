#include "services/version/conflict_facts.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/entity/key.h"

namespace bdcsync::version {
namespace {

using conflict::v1::Conflict;
using conflict::v1::OpenPlace;
using event_store::v1::AppendItem;

constexpr absl::string_view kClosingPrefix = "close-";
constexpr absl::string_view kClosingFactPrefix = "closed-";
constexpr absl::string_view kUndoPrefix = "undo-";
constexpr size_t kConflictIdBytes = 32;
constexpr size_t kKeptResultBytesMax = 1024;

void SetExpected(int64_t revision, uint64_t event_id, AppendItem& item) {
  if (revision == 0) {
    item.mutable_expected()->set_none(true);
    return;
  }
  item.mutable_expected()->set_revision(revision);
  item.mutable_expected()->set_event_id(event_id);
}

}  // namespace

std::string ConflictBranch(absl::string_view conflict_id) {
  return absl::StrCat(entity::kConflictBranchPrefix, conflict_id);
}

void SetFactsStream(const common::v1::EntityKey& entity, event_store::v1::StreamKey& stream) {
  stream.set_space(entity.space());
  stream.set_name(entity::ConflictsStreamName(entity::ViewOf(entity)));
}

void SetBranchStream(const common::v1::EntityKey& entity, absl::string_view branch,
                     event_store::v1::StreamKey& stream) {
  entity::KeyView key = entity::ViewOf(entity);
  key.branch = branch.empty() ? entity::kMainBranch : branch;
  stream.set_space(entity.space());
  stream.set_name(entity::StreamName(key));
}

bool IsConflictId(absl::string_view id) {
  return id.size() == kConflictIdBytes && absl::c_all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string ClosingOperationId(absl::string_view conflict_id) {
  return absl::StrCat(kClosingPrefix, conflict_id);
}

std::string ClosingFactId(absl::string_view conflict_id) {
  return absl::StrCat(kClosingFactPrefix, conflict_id);
}

std::string UndoOperationId(absl::string_view digest) { return absl::StrCat(kUndoPrefix, digest); }

bool IsReservedOperationId(absl::string_view op_id) {
  if (op_id.size() <= kConflictIdBytes + kUndoPrefix.size() - 1) return false;  // Any UUID.
  for (const absl::string_view prefix : {kClosingPrefix, kClosingFactPrefix, kUndoPrefix}) {
    if (absl::StartsWith(op_id, prefix) && IsConflictId(op_id.substr(prefix.size()))) return true;
  }
  return false;
}

const Conflict* FactsHead::Find(absl::string_view conflict_id) const {
  for (const Conflict& conflict : open.conflicts()) {
    if (conflict.conflict_id() == conflict_id) return &conflict;
  }
  return nullptr;
}

FactsHead FactsHeadAfter(const event_store::v1::Event& event) {
  FactsHead head{.revision = event.revision(), .event_id = event.event_id()};
  if (!event.tombstone()) head.open.ParseFromString(event.data());
  return head;
}

Conflict WithoutValues(const Conflict& conflict) {
  Conflict bare = conflict;
  for (OpenPlace& place : *bare.mutable_places()) {
    place.mutable_decision()->clear_base();
    place.mutable_decision()->clear_theirs();
    place.mutable_decision()->clear_ours();
    // What was chosen is nowhere else when conflict is not told of it.
    if (place.decision().result().size() > kKeptResultBytesMax) {
      place.mutable_decision()->clear_result();
    }
  }
  if (bare.places().empty() || bare.ByteSizeLong() <= kFactBytesMax) return bare;
  OpenPlace whole;
  whole.set_fallback(bare.places(0).fallback());
  whole.mutable_decision()->set_rule(bare.places(0).decision().rule());
  whole.mutable_decision()->set_kind(bare.places(0).decision().kind());
  bare.clear_places();
  *bare.add_places() = whole;
  return bare;
}

void FillFact(const Conflict& conflict, const FactsHead& head, uint64_t event_id,
              uint64_t request_hash, AppendItem& item) {
  v1::ConflictFact fact;
  *fact.mutable_conflict() = WithoutValues(conflict);
  v1::OpenConflicts open = head.open;
  if (conflict.state() == conflict::v1::CONFLICT_STATE_OPEN) {
    *open.add_conflicts() = fact.conflict();
  } else {
    auto& all = *open.mutable_conflicts();
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&conflict](const Conflict& other) {
                               return other.conflict_id() == conflict.conflict_id();
                             }),
              all.end());
    item.set_op_id(ClosingFactId(conflict.conflict_id()));
    item.set_request_hash(request_hash);
  }
  SetFactsStream(conflict.entity(), *item.mutable_stream());
  item.set_kind(event_store::v1::STREAM_KIND_CONFLICT);
  SetExpected(head.revision, head.event_id, item);
  item.set_event_id(event_id);
  item.set_meta(fact.SerializeAsString());
  item.set_tombstone(open.conflicts().empty());
  if (!item.tombstone()) item.set_data(open.SerializeAsString());
}

void FillSeal(const Conflict& conflict, const EntityState& head, uint64_t event_id,
              AppendItem& item) {
  v1::VersionMeta meta;
  meta.set_operation(common::v1::OPERATION_KIND_DELETE);
  meta.set_outcome(common::v1::OUTCOME_APPLIED);
  meta.set_op_id(ClosingOperationId(conflict.conflict_id()));
  meta.set_user_id(conflict.closed_by());
  meta.add_parents(head.version_id());
  meta.add_changed_paths("");
  meta.set_category(head.category);
  meta.set_previous_category(head.category);
  meta.set_existed_before(head.alive());
  meta.set_conflict_id(conflict.conflict_id());
  SetBranchStream(conflict.entity(), ConflictBranch(conflict.conflict_id()),
                  *item.mutable_stream());
  item.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  SetExpected(head.revision, head.event_id, item);
  item.set_event_id(event_id);
  item.set_meta(meta.SerializeAsString());
  item.set_tombstone(true);
}

bool IsSeal(const v1::VersionMeta& meta) {
  // The merge on main has the same op_id, but is MERGED.
  absl::string_view op_id = meta.op_id();
  return meta.outcome() == common::v1::OUTCOME_APPLIED && !meta.conflict_id().empty() &&
         absl::ConsumePrefix(&op_id, kClosingPrefix) && op_id == meta.conflict_id();
}

}  // namespace bdcsync::version
