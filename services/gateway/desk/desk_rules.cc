// Rules, and what one learns from the records.
#include <utility>

#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "services/gateway/desk/conflict_access.h"
#include "services/gateway/desk/desk.h"

namespace bdcsync::gateway {
namespace {

// A space, or all of them for an administrator.
absl::Status MayAskAbout(const Caller& caller, const std::string& space, Access needed) {
  if (space.empty()) return MustBeAdmin(caller);
  RETURN_IF_ERROR(entity::ValidateSpace(space));
  return needed == Access::kWrite ? MayWriteSpace(caller, space) : MayReadSpace(caller, space);
}

void LogChange(const log::Logger& logger, absl::string_view what, const Caller& caller,
               const std::string& entity_type) {
  logger.Info(what, {{"user_id", caller.user_id},
                     {"request_id", CallScope::Current().request_id},
                     {"entity_type", entity_type}});
}

}  // namespace

void Desk::PutRuleSet(CallerPtr caller, sync::v1::PutRuleSetRequest request,
                      Done<sync::v1::PutRuleSetResponse> done) {
  if (absl::Status allowed = MustBeAdmin(*caller); !allowed.ok()) return done(std::move(allowed));
  if (!request.validate_only()) {
    LogChange(logger_, "rules are to be changed", *caller, request.entity_type());
  }
  conflict::v1::PutRuleSetRequest put;
  put.set_entity_type(std::move(*request.mutable_entity_type()));
  put.set_rules(std::move(*request.mutable_rules()));
  put.set_author(caller->user_id);
  put.set_expected_version(request.expected_version());
  put.set_validate_only(request.validate_only());
  using Response = conflict::v1::PutRuleSetResponse;
  records_.PutRuleSet(std::move(put),
                      [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                        if (!from.ok()) return done(from.status());
                        sync::v1::PutRuleSetResponse to;
                        *to.mutable_rule_set() = std::move(*from->mutable_rule_set());
                        done(std::move(to));
                      });
}

void Desk::GetRuleSet(CallerPtr caller, sync::v1::GetRuleSetRequest request,
                      Done<sync::v1::GetRuleSetResponse> done) {
  if (absl::Status allowed = MustBeAdmin(*caller); !allowed.ok()) return done(std::move(allowed));
  conflict::v1::GetRuleSetRequest query;
  query.set_entity_type(std::move(*request.mutable_entity_type()));
  query.set_version(request.version());
  using Response = conflict::v1::GetRuleSetResponse;
  records_.GetRuleSet(std::move(query),
                      [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                        if (!from.ok()) return done(from.status());
                        sync::v1::GetRuleSetResponse to;
                        *to.mutable_rule_set() = std::move(*from->mutable_rule_set());
                        done(std::move(to));
                      });
}

void Desk::ListRuleSets(CallerPtr caller, sync::v1::ListRuleSetsRequest request,
                        Done<sync::v1::ListRuleSetsResponse> done) {
  if (absl::Status allowed = MustBeAdmin(*caller); !allowed.ok()) return done(std::move(allowed));
  conflict::v1::ListRuleSetsRequest query;
  query.set_entity_type(std::move(*request.mutable_entity_type()));
  query.set_page_token(std::move(*request.mutable_page_token()));
  query.set_limit(request.limit());
  using Response = conflict::v1::ListRuleSetsResponse;
  records_.ListRuleSets(std::move(query),
                        [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                          if (!from.ok()) return done(from.status());
                          sync::v1::ListRuleSetsResponse to;
                          to.mutable_rule_sets()->Swap(from->mutable_rule_sets());
                          to.set_next_page_token(from->next_page_token());
                          done(std::move(to));
                        });
}

void Desk::RemoveRuleSet(CallerPtr caller, sync::v1::RemoveRuleSetRequest request,
                         Done<sync::v1::RemoveRuleSetResponse> done) {
  if (absl::Status allowed = MustBeAdmin(*caller); !allowed.ok()) return done(std::move(allowed));
  LogChange(logger_, "rules are to be removed", *caller, request.entity_type());
  conflict::v1::RemoveRuleSetRequest remove;
  remove.set_entity_type(std::move(*request.mutable_entity_type()));
  remove.set_author(caller->user_id);
  using Response = conflict::v1::RemoveRuleSetResponse;
  records_.RemoveRuleSet(std::move(remove),
                         [done = std::move(done)](const absl::StatusOr<Response>& from) mutable {
                           if (!from.ok()) return done(from.status());
                           done(sync::v1::RemoveRuleSetResponse());
                         });
}

void Desk::DryRun(CallerPtr caller, sync::v1::DryRunRequest request,
                  Done<sync::v1::DryRunResponse> done) {
  absl::Status allowed = MayAskAbout(*caller, request.space(), Access::kWrite);
  // Rules may be scripts: a run costs as much as many operations, and counts as one at least.
  if (allowed.ok()) allowed = TakeRate(*caller, 1);
  if (!allowed.ok()) return done(std::move(allowed));
  conflict::v1::DryRunRequest run;
  run.set_entity_type(std::move(*request.mutable_entity_type()));
  run.set_rules(std::move(*request.mutable_rules()));
  run.set_space(std::move(*request.mutable_space()));
  run.set_from_ms(request.from_ms());
  run.set_records_max(request.records_max());
  using Response = conflict::v1::DryRunResponse;
  records_.DryRun(std::move(run), [done = std::move(done)](absl::StatusOr<Response> from) mutable {
    if (!from.ok()) return done(from.status());
    sync::v1::DryRunResponse to;
    *to.mutable_report() = *std::move(from);
    done(std::move(to));
  });
}

void Desk::Analyze(CallerPtr caller, sync::v1::AnalyzeRequest request,
                   Done<sync::v1::AnalyzeResponse> done) {
  absl::Status allowed = MayAskAbout(*caller, request.query().space(), Access::kRead);
  if (!allowed.ok()) return done(std::move(allowed));
  using Response = conflict::v1::AnalyzeResponse;
  records_.Analyze(std::move(*request.mutable_query()),
                   [done = std::move(done)](absl::StatusOr<Response> from) mutable {
                     if (!from.ok()) return done(from.status());
                     sync::v1::AnalyzeResponse to;
                     *to.mutable_report() = *std::move(from);
                     done(std::move(to));
                   });
}

}  // namespace bdcsync::gateway
