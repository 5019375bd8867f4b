// A conflict on its way to its end: what is appended with the merge that closes it, as one atomic
// group. Values; made by the closer and borrowed by the batch's run.
#pragma once

#include <cstdint>
#include <string>

#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/version/conflict_facts.h"
#include "services/version/entity_state.h"

namespace bdcsync::version {

struct Closing {
  // Events of the group beside the merge: the fact, then the seal of the branch.
  static constexpr int kItems = 2;

  conflict::v1::Conflict conflict;  // As it will be; closing_version_id is filled in by the run.
  FactsHead facts;                  // The facts that it is taken from.
  StatePtr branch;                  // The head of its branch that was merged.
  uint64_t decision_hash = 0;       // Tells a repeated request from another decision.
  uint64_t fact_event_id = 0;
  uint64_t seal_event_id = 0;
};

// Appends fact and seal to `request`. `merge` is the version that closes it; empty: none.
void AddClosing(const Closing& closing, const std::string& merge, uint32_t group,
                event_store::v1::AppendRequest& request);

}  // namespace bdcsync::version
