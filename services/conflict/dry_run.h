// Tries a rule set on what was recorded. A record holds the places where changes met, not the
// documents, so the rules are tried on documents of those places alone; moves of elements cannot be
// tried. Pure. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/evaluator.h"
#include "libs/merge/rule_set.h"
#include "services/conflict/active_rules.h"
#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

// The rule set of the request, ready for use. kInvalidArgument at the place at fault.
absl::StatusOr<std::shared_ptr<const ActiveRules>> RulesToTry(const v1::DryRunRequest& request,
                                                              const merge::RuleSetContext& context);

// What other programs may know of a record.
std::shared_ptr<const RemoteMeeting> MeetingOf(const v1::Resolution& record);

// Decides `record` again by `tried`, and adds what comes to `response`. `remote` answers for rules
// `remote`. False, and nothing is added: it has to know more first; try again then.
bool TryRules(const v1::Resolution& record, const ActiveRules& tried, size_t matching_work_max,
              merge::RuleEvaluator& remote, v1::DryRunResponse& response);

}  // namespace bdcsync::conflict
