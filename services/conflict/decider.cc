#include "services/conflict/decider.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"

namespace bdcsync::conflict {
namespace {

// The record of `result`; takes its decisions with `take`.
v1::Resolution RecordOf(const v1::ResolveItem& item, int64_t rule_set_version,
                        v1::ResolveResult& result, bool take) {
  v1::Resolution record;
  record.set_op_id(item.op_id());
  *record.mutable_entity() = item.entity();
  record.mutable_entity()->set_branch(std::string(entity::ViewOf(item.entity()).branch));
  record.set_base_version_id(item.base().version_id());
  record.set_theirs_version_id(item.theirs().version_id());
  record.set_user_id(item.ours().user_id());
  record.set_device_id(item.ours().device_id());
  record.set_app_version(item.ours().app_version());
  record.set_rule_set_version(rule_set_version);
  if (take) {
    record.mutable_decisions()->Swap(result.mutable_decisions());
  } else {
    *record.mutable_decisions() = result.decisions();
  }
  return record;
}

}  // namespace

void Decider::Resolve(const v1::ResolveRequest& request, Decided decided) {
  if (request.items_size() > kResolveItemsMax) {
    decided(MakeError(Reason::kInvalidArgument,
                      absl::StrCat("a call holds at most ", kResolveItemsMax, " meetings")));
    return;
  }
  std::shared_ptr<const ActiveRules> rules = rules_();
  if (!rules->has_scripts()) {
    Keep(request, ResolveNow(request, *rules), std::move(decided));
    return;
  }
  scripts_.Run<Resolved>(
      [this, &request, rules = std::move(rules)]() -> absl::StatusOr<Resolved> {
        return ResolveNow(request, *rules);
      },
      [this, &request, decided = std::move(decided)](absl::StatusOr<Resolved> resolved) mutable {
        if (!resolved.ok()) {
          decided(resolved.status());
        } else {
          Keep(request, *std::move(resolved), std::move(decided));
        }
      });
}

Resolved Decider::ResolveNow(const v1::ResolveRequest& request, const ActiveRules& rules) const {
  const ResolveContext context{.limits = limits_,
                               .rules = rules,
                               .now_ms = absl::ToUnixMillis(clock_.Now()),
                               .on_script = observer_.on_script,
                               .ask_remote = nullptr};
  return conflict::Resolve(request, context);
}

void Decider::Keep(const v1::ResolveRequest& request, Resolved resolved, Decided decided) {
  Records records;
  for (int i = 0; i < request.items_size(); ++i) {
    v1::ResolveResult& result = *resolved.response.mutable_results(i);
    observer_.on_resolved(result);
    if (result.has_error()) continue;
    if (result.has_conflict()) {
      records.openings.push_back(result.conflict());
    } else {
      records.resolutions.push_back(RecordOf(request.items(i), resolved.rule_set_versions[i],
                                             result, request.without_decisions()));
    }
  }
  recorder_.Record(std::move(records), [response = std::move(resolved.response),
                                        decided = std::move(decided)](absl::Status kept) mutable {
    if (kept.ok()) {
      decided(std::move(response));
    } else {
      decided(std::move(kept));
    }
  });
}

}  // namespace bdcsync::conflict
