// A change that waits for a person, on its way to its branch: what is appended, as one atomic
// group, when a conflict is opened. Values; belongs to the batch's run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/ids.h"
#include "services/version/apply_operation.h"
#include "services/version/conflict_facts.h"
#include "services/version/entity_state.h"

namespace bdcsync::version {

struct Opening {
  conflict::v1::Conflict conflict;
  // What the change was made on, when that is no stored version: then the branch begins with it.
  std::shared_ptr<EntityState> base;
  std::string base_meta;
  // The change, whole.
  std::shared_ptr<EntityState> change;
  std::string meta;
  uint64_t fact_event_id = 0;
  // The facts that it is added to; nothing while they have to be read.
  std::optional<FactsHead> facts;

  // Events of the group: the branch's, then the fact.
  int items() const { return base == nullptr ? 2 : 3; }
};

// What an operation that asks is made of.
struct OpeningParts {
  const common::v1::Operation& operation;
  const EntityState& base;
  bool base_is_stored = true;
  const EntityState& theirs;
  const EntityState& ours;  // As it would follow `theirs`.
};

// `asked` is the resolver's answer. Fails with kInternal when it names no proper conflict.
absl::StatusOr<std::unique_ptr<Opening>> MakeOpening(const OpeningParts& parts,
                                                     conflict::v1::Conflict asked,
                                                     const DataLimits& limits, Random& random);

// `described`, a serialized VersionMeta, as that of a version which belongs to a conflict.
// `other_parent` takes the place of what follows the first parent; empty: they stay.
std::string DescribeForConflict(const std::string& described, common::v1::Outcome outcome,
                                const std::string& conflict_id,
                                const std::string& other_parent = "");

// Appends the group to `request`, whose items it stands apart from by `group`.
void AddOpening(const Opening& opening, const common::v1::Operation& operation, uint32_t group,
                event_store::v1::AppendRequest& request);

}  // namespace bdcsync::version
