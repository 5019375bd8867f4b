#include "services/conflict/desk_request.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/entity/version_id.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {
namespace {

constexpr size_t kConflictIdBytes = 32;

absl::Status Invalid(absl::string_view path, absl::string_view message) {
  return MakeErrorAt(Reason::kInvalidArgument, path, message);
}

bool IsText(const std::string& text) { return text.find('\0') == std::string::npos; }

absl::Status CheckFact(const v1::Fact& fact, absl::string_view place) {
  const v1::Conflict& conflict = fact.conflict();
  if (!IsConflictId(conflict.conflict_id())) {
    return Invalid(absl::StrCat(place, "/conflict_id"), "conflict_id is not one of ours");
  }
  if (!v1::ConflictState_IsValid(conflict.state()) ||
      conflict.state() == v1::CONFLICT_STATE_UNSPECIFIED) {
    return Invalid(absl::StrCat(place, "/state"), "a fact needs a state");
  }
  if (conflict.state() == v1::CONFLICT_STATE_OPENING) return absl::OkStatus();
  if (absl::Status key = entity::ValidateKey(entity::ViewOf(conflict.entity())); !key.ok()) {
    return Invalid(absl::StrCat(place, "/entity/", PathOf(key)), key.message());
  }
  for (const std::string* text :
       {&conflict.op_id(), &conflict.base_version_id(), &conflict.theirs_version_id(),
        &conflict.user_id(), &conflict.device_id(), &conflict.app_version(),
        &fact.closing_op_id()}) {
    if (!IsText(*text)) return Invalid(place, "ids must not hold NUL");
  }
  if (fact.closing_op_id().size() > kOperationIdBytesMax) {
    return Invalid(place, "closing_op_id is too long");
  }
  return absl::OkStatus();
}

// The record of a closing: for history, analysis and undo.
v1::Resolution ResolutionOf(const v1::Fact& fact) {
  const v1::Conflict& conflict = fact.conflict();
  v1::Resolution record;
  record.set_op_id(fact.closing_op_id());
  *record.mutable_entity() = conflict.entity();
  record.mutable_entity()->set_branch(std::string(entity::kMainBranch));
  record.set_base_version_id(conflict.base_version_id());
  record.set_theirs_version_id(conflict.theirs_version_id());
  record.set_user_id(conflict.user_id());
  record.set_device_id(conflict.device_id());
  *record.mutable_decisions() = fact.decisions();
  record.set_time_ms(conflict.closed_ms());
  record.set_app_version(conflict.app_version());
  record.set_conflict_id(conflict.conflict_id());
  record.set_rule_set_version(conflict.rule_set_version());
  return record;
}

// Of two facts about one conflict the one that happened later in its life.
int RankOf(v1::ConflictState state) {
  if (state == v1::CONFLICT_STATE_OPENING) return 0;
  return IsClosed(state) ? 2 : 1;
}

}  // namespace

bool IsConflictId(absl::string_view id) {
  return id.size() == kConflictIdBytes && absl::c_all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsClosed(v1::ConflictState state) { return state >= v1::CONFLICT_STATE_RESOLVED; }

absl::StatusOr<int> LimitOf(int32_t limit, int by_default) {
  if (limit == 0) return by_default;
  if (limit >= 1 && limit <= kDeskPageMax) return limit;
  return Invalid("limit", absl::StrCat("limit must be 1 to ", kDeskPageMax));
}

std::string PageTokenAfter(const ConflictPlace& place) {
  return absl::StrCat(place.opened_ms, "-", place.conflict_id);
}

absl::StatusOr<ConflictQuery> QueryOf(const v1::ListConflictsRequest& request) {
  RETURN_IF_ERROR(entity::ValidateSpace(request.space()));
  if (!request.entity_type().empty()) RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  if (!request.entity_id().empty()) {
    RETURN_IF_ERROR(entity::ValidateId(request.entity_id()));
    if (request.entity_type().empty()) {
      return Invalid("entity_type", "entity_id needs an entity_type");
    }
  }
  if (request.assigned_to().size() > kUserIdBytesMax || !IsText(request.assigned_to())) {
    return Invalid("assigned_to", "assigned_to is no user");
  }
  ConflictQuery query{.space = request.space(),
                      .entity_type = request.entity_type(),
                      .entity_id = request.entity_id(),
                      .assigned_to = request.assigned_to(),
                      .before_ms = std::numeric_limits<int64_t>::max()};
  for (const int state : request.states()) {
    if (!v1::ConflictState_IsValid(state)) return Invalid("states", "there is no such state");
    const auto wanted = static_cast<v1::ConflictState>(state);
    if (absl::c_linear_search(query.states, wanted)) continue;
    query.states.push_back(wanted);
  }
  if (query.states.empty()) {
    query.states = {v1::CONFLICT_STATE_OPEN, v1::CONFLICT_STATE_ASSIGNED};
  } else if (absl::c_linear_search(query.states, v1::CONFLICT_STATE_UNSPECIFIED)) {
    query.states.clear();
    // But for what may never have been committed.
    for (int state = v1::CONFLICT_STATE_OPEN; state <= v1::ConflictState_MAX; ++state) {
      query.states.push_back(static_cast<v1::ConflictState>(state));
    }
  }
  ASSIGN_OR_RETURN(query.limit, LimitOf(request.limit(), kDeskPageDefault));
  if (request.page_token().empty()) return query;
  const std::pair<absl::string_view, absl::string_view> token =
      absl::StrSplit(request.page_token(), absl::MaxSplits('-', 1));
  const std::optional<int64_t> before = entity::ParseRevision(token.first);
  if (!before || !IsConflictId(token.second)) {
    return Invalid("page_token", "page_token is not one of ours");
  }
  query.before_ms = *before;
  query.before_id = std::string(token.second);
  return query;
}

absl::StatusOr<FactBatch> FactsOf(const v1::RecordFactsRequest& request, int64_t now_ms) {
  std::map<absl::string_view, const v1::Fact*> facts;
  for (int i = 0; i < request.facts_size(); ++i) {
    const v1::Fact& fact = request.facts(i);
    RETURN_IF_ERROR(CheckFact(fact, absl::StrCat("facts/", i, "/conflict")));
    const v1::Fact*& kept = facts[fact.conflict().conflict_id()];
    if (kept == nullptr || RankOf(fact.conflict().state()) > RankOf(kept->conflict().state())) {
      kept = &fact;
    }
  }
  FactBatch batch{.now_ms = now_ms};
  for (const auto& [id, fact] : facts) {
    const v1::Conflict& conflict = fact->conflict();
    if (conflict.state() == v1::CONFLICT_STATE_OPENING) {
      batch.forgotten.push_back(conflict.conflict_id());
      continue;
    }
    batch.held.push_back(conflict);
    v1::Conflict& held = batch.held.back();
    held.mutable_entity()->set_branch(std::string(entity::kMainBranch));
    if (!IsClosed(held.state())) {
      held.set_state(held.assigned_to().empty() ? v1::CONFLICT_STATE_OPEN
                                                : v1::CONFLICT_STATE_ASSIGNED);
    } else if (!fact->closing_op_id().empty()) {
      batch.resolutions.push_back(ResolutionOf(*fact));
    }
  }
  return batch;
}

}  // namespace bdcsync::conflict
