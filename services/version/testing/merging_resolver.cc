#include "services/version/testing/merging_resolver.h"

#include <optional>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/ids.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/rpc/status.h"

namespace bdcsync::version::testing {
namespace {

absl::StatusOr<std::optional<json::Value>> Read(const conflict::v1::Side& side) {
  if (!side.exists()) return std::optional<json::Value>();
  absl::StatusOr<json::Value> value = json::Parse(side.data());
  if (!value.ok()) return MakeError(Reason::kInvalidArgument, "a side is not JSON");
  return std::optional<json::Value>(*std::move(value));
}

// Stands for the operation, as the real one does.
std::string ConflictIdOf(const conflict::v1::ResolveItem& item) {
  const std::string name = item.entity().space() + "/" + item.op_id();
  return Hex64(StableHash64(name)) + Hex64(StableHash64(name, 1));
}

conflict::v1::Conflict ConflictOf(const conflict::v1::ResolveItem& item,
                                  const merge::MergeResult& merged) {
  conflict::v1::Conflict conflict;
  conflict.set_conflict_id(ConflictIdOf(item));
  *conflict.mutable_entity() = item.entity();
  conflict.set_branch("conflict/" + conflict.conflict_id());
  conflict.set_state(conflict::v1::CONFLICT_STATE_OPENING);
  conflict.set_op_id(item.op_id());
  conflict.set_base_version_id(item.base().version_id());
  conflict.set_theirs_version_id(item.theirs().version_id());
  conflict.set_user_id(item.ours().user_id());
  conflict.set_app_version(item.ours().app_version());
  for (const merge::Decision& open : merged.conflicts) *conflict.add_places() = PlaceOf(open);
  return conflict;
}

}  // namespace

std::string TextOf(const std::optional<json::Value>& value) {
  return value ? json::Serialize(*value) : std::string();
}

conflict::v1::OpenPlace PlaceOf(const merge::Decision& decision) {
  conflict::v1::OpenPlace place;
  place.set_fallback("ours");
  place.mutable_decision()->set_path(decision.path);
  place.mutable_decision()->set_rule("ask");
  place.mutable_decision()->set_kind(std::string(merge::ConflictKindName(decision.kind)));
  place.mutable_decision()->set_base(TextOf(decision.base));
  place.mutable_decision()->set_theirs(TextOf(decision.theirs));
  place.mutable_decision()->set_ours(TextOf(decision.ours));
  return place;
}

merge::MergeResult MergingResolver::MergeSides(const conflict::v1::Side& base,
                                               const conflict::v1::Side& theirs,
                                               const conflict::v1::Side& ours, bool may_ask) {
  merge::MergeOptions options;
  if (may_ask && rules_.has_value()) options.rules = &*rules_;
  return merge::Merge(*Read(base), *Read(theirs), *Read(ours), options).value();
}

merge::MergeResult MergingResolver::Merge(const conflict::v1::Side& base,
                                          const conflict::v1::Side& theirs,
                                          const conflict::v1::Side& ours, bool may_ask) {
  absl::MutexLock lock(&mutex_);
  return MergeSides(base, theirs, ours, may_ask);
}

conflict::v1::ResolveResult MergingResolver::Decide(const conflict::v1::ResolveItem& item,
                                                    const conflict::v1::Side& theirs) {
  conflict::v1::ResolveResult result;
  result.set_wants_writes((wants_writes_ && item.can_tell_writes()) ||
                          (wants_for_ever_ && !item.theirs_writes().empty()));
  if (result.wants_writes()) return result;
  for (const conflict::v1::Side* side : {&item.base(), &theirs, &item.ours()}) {
    const auto read = Read(*side);
    if (read.ok()) continue;
    rpc::ToProto(read.status(), *result.mutable_error());
    return result;
  }
  const merge::MergeResult merged =
      MergeSides(item.base(), theirs, item.ours(), !item.without_asking());
  if (!merged.conflicts.empty()) {
    *result.mutable_conflict() = ConflictOf(item, merged);
    *result.mutable_merged() = theirs;
    asked_[result.conflict().conflict_id()] = result.conflict();
    return result;
  }
  result.mutable_merged()->set_exists(merged.value.has_value());
  result.mutable_merged()->set_data(TextOf(merged.value));
  return result;
}

void MergingResolver::WantWrites(bool for_ever) {
  absl::MutexLock lock(&mutex_);
  wants_writes_ = true;
  wants_for_ever_ = for_ever;
}

void MergingResolver::UseRules(const std::string& rules) {
  absl::MutexLock lock(&mutex_);
  rules_ = *merge::ParseRuleSet(*json::Parse(rules));
}

std::map<std::string, conflict::v1::Conflict> MergingResolver::asked() {
  absl::MutexLock lock(&mutex_);
  return asked_;
}

void MergingResolver::Resolve(conflict::v1::ResolveRequest request, Callback callback) {
  absl::StatusOr<conflict::v1::ResolveResponse> answer = conflict::v1::ResolveResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++calls_;
    last_ = request;
    for (const auto& item : request.items()) {
      const bool chained = item.theirs_item() != 0;
      const conflict::v1::Side theirs =
          chained ? answer->results(static_cast<int>(item.theirs_item()) - 1).merged()
                  : item.theirs();
      *answer->add_results() = Decide(item, theirs);
    }
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void MergingResolver::FailWith(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

int MergingResolver::calls() {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

conflict::v1::ResolveRequest MergingResolver::last_request() {
  absl::MutexLock lock(&mutex_);
  return last_;
}

void MergingResolver::NoteCaller(CallTrace trace) {
  absl::MutexLock lock(&mutex_);
  last_caller_ = std::move(trace);
}

CallTrace MergingResolver::last_caller() {
  absl::MutexLock lock(&mutex_);
  return last_caller_;
}

}  // namespace bdcsync::version::testing
