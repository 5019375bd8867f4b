#include "services/version/conflict_opening.h"

#include <utility>

#include "libs/base/errors.h"

namespace bdcsync::version {
namespace {

using conflict::v1::Conflict;

// The first event of the conflict's branch.
event_store::v1::AppendItem& AddVersion(const Conflict& conflict, const EntityState& version,
                                        const std::string& meta, uint32_t group,
                                        event_store::v1::AppendRequest& request) {
  event_store::v1::AppendItem& item = *request.add_items();
  SetBranchStream(conflict.entity(), conflict.branch(), *item.mutable_stream());
  item.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  item.mutable_expected()->set_none(true);
  item.set_event_id(version.event_id);
  item.set_meta(meta);
  item.set_data(version.data);
  item.set_tombstone(version.deleted);
  item.set_atomic_group(group);
  return item;
}

// The made-up version that the change was made on.
void AddBase(const OpeningParts& parts, Random& random, Opening& opening) {
  opening.base = std::make_shared<EntityState>(parts.base);
  opening.base->revision = 1;
  opening.base->event_id = random.Bits64();
  v1::VersionMeta meta;
  meta.set_operation(parts.operation.kind());
  meta.set_user_id(opening.base->user_id);
  meta.set_device_id(opening.base->device_id);
  meta.add_parents(parts.operation.base_version());
  meta.add_changed_paths("");
  meta.set_category(opening.base->category);
  opening.base_meta = DescribeForConflict(meta.SerializeAsString(), common::v1::OUTCOME_CONFLICT,
                                          opening.conflict.conflict_id());
}

}  // namespace

std::string DescribeForConflict(const std::string& described, common::v1::Outcome outcome,
                                const std::string& conflict_id, const std::string& other_parent) {
  v1::VersionMeta meta;
  meta.ParseFromString(described);
  meta.set_outcome(outcome);
  meta.set_conflict_id(conflict_id);
  if (!other_parent.empty()) {
    while (meta.parents_size() > 1) meta.mutable_parents()->RemoveLast();
    meta.add_parents(other_parent);
  }
  return meta.SerializeAsString();
}

absl::StatusOr<std::unique_ptr<Opening>> MakeOpening(const OpeningParts& parts, Conflict asked,
                                                     const DataLimits& limits, Random& random) {
  if (!IsConflictId(asked.conflict_id())) {
    return MakeError(Reason::kInternal, "conflict names no proper conflict");
  }
  auto opening = std::make_unique<Opening>();
  Conflict& conflict = opening->conflict;
  conflict = std::move(asked);
  *conflict.mutable_entity() = parts.operation.entity();
  conflict.mutable_entity()->clear_branch();
  conflict.set_branch(ConflictBranch(conflict.conflict_id()));
  conflict.set_state(conflict::v1::CONFLICT_STATE_OPEN);
  conflict.set_op_id(parts.operation.op_id());
  if (!parts.base_is_stored) AddBase(parts, random, *opening);
  const EntityState& base = opening->base == nullptr ? parts.base : *opening->base;
  opening->change = std::make_shared<EntityState>(parts.ours);
  opening->change->revision = opening->base == nullptr ? 1 : 2;
  opening->meta =
      DescribeForConflict(DescribeVersion(parts.operation, base, *opening->change, nullptr,
                                          ChangedPathsBetween(base, *opening->change, limits)),
                          common::v1::OUTCOME_CONFLICT, conflict.conflict_id());
  conflict.set_base_version_id(base.version_id());
  conflict.set_theirs_version_id(parts.theirs.version_id());
  conflict.set_ours_version_id(opening->change->version_id());
  conflict.set_user_id(opening->change->user_id);
  conflict.set_device_id(opening->change->device_id);
  opening->fact_event_id = random.Bits64();
  return opening;
}

void AddOpening(const Opening& opening, const common::v1::Operation& operation, uint32_t group,
                event_store::v1::AppendRequest& request) {
  if (opening.base != nullptr) {
    AddVersion(opening.conflict, *opening.base, opening.base_meta, group, request);
  }
  event_store::v1::AppendItem& change =
      AddVersion(opening.conflict, *opening.change, opening.meta, group, request);
  if (opening.base != nullptr) {
    change.mutable_expected()->set_revision(opening.base->revision);
    change.mutable_expected()->set_event_id(opening.base->event_id);
  }
  change.set_op_id(operation.op_id());
  change.set_request_hash(operation.request_hash());
  event_store::v1::AppendItem& fact = *request.add_items();
  FillFact(opening.conflict, *opening.facts, opening.fact_event_id, 0, fact);
  fact.set_atomic_group(group);
}

}  // namespace bdcsync::version
