#include "services/conflict/decider.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"

namespace bdcsync::conflict {
namespace {

// The record of `result`; takes its decisions with `take`.
v1::Resolution RecordOf(const v1::ResolveItem& item, v1::ResolveResult& result, bool take) {
  v1::Resolution record;
  record.set_op_id(item.op_id());
  *record.mutable_entity() = item.entity();
  record.mutable_entity()->set_branch(std::string(entity::ViewOf(item.entity()).branch));
  record.set_base_version_id(item.base().version_id());
  record.set_theirs_version_id(item.theirs().version_id());
  record.set_user_id(item.ours().user_id());
  record.set_device_id(item.ours().device_id());
  record.set_app_version(item.ours().app_version());
  if (take) {
    record.mutable_decisions()->Swap(result.mutable_decisions());
  } else {
    *record.mutable_decisions() = result.decisions();
  }
  return record;
}

// The row of the conflict that `result` opens.
v1::Conflict OpeningOf(const v1::ResolveItem& item, const v1::ResolveResult& result) {
  v1::Conflict opening = result.conflict();
  opening.set_state(v1::CONFLICT_STATE_OPENING);
  *opening.mutable_entity() = item.entity();
  opening.mutable_entity()->set_branch(std::string(entity::kMainBranch));
  opening.set_op_id(item.op_id());
  return opening;
}

}  // namespace

void Decider::Resolve(const v1::ResolveRequest& request, Decided decided) {
  if (request.items_size() > kResolveItemsMax) {
    decided(MakeError(Reason::kInvalidArgument,
                      absl::StrCat("a call holds at most ", kResolveItemsMax, " meetings")));
    return;
  }
  v1::ResolveResponse response = conflict::Resolve(request, limits_);
  Records records;
  for (int i = 0; i < response.results_size(); ++i) {
    v1::ResolveResult& result = *response.mutable_results(i);
    observer_(result);
    if (result.has_error()) continue;
    if (result.has_conflict()) {
      records.openings.push_back(OpeningOf(request.items(i), result));
      continue;
    }
    records.resolutions.push_back(RecordOf(request.items(i), result, request.without_decisions()));
  }
  recorder_.Record(std::move(records), [response = std::move(response),
                                        decided = std::move(decided)](absl::Status kept) mutable {
    if (kept.ok()) {
      decided(std::move(response));
    } else {
      decided(std::move(kept));
    }
  });
}

}  // namespace bdcsync::conflict
