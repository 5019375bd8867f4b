#include "services/gateway/desk/conflict_access.h"

#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::gateway {
namespace {

absl::Status Hidden() { return MakeError(Reason::kNotFound, "there is no such conflict"); }

absl::Status MayWrite(const Caller& caller, const conflict::v1::Conflict& conflict) {
  RETURN_IF_ERROR(MayLook(caller, conflict));
  if (AccessTo(caller, conflict.entity().space()) == Access::kWrite) return absl::OkStatus();
  return MakeError(Reason::kForbidden, "the space of this conflict may not be written");
}

}  // namespace

absl::Status MayReadSpace(const Caller& caller, absl::string_view space) {
  if (AccessTo(caller, space) != Access::kNone) return absl::OkStatus();
  return MakeErrorAt(Reason::kNotFound, "space", "there is no such space");
}

absl::Status MayWriteSpace(const Caller& caller, absl::string_view space) {
  RETURN_IF_ERROR(MayReadSpace(caller, space));
  if (AccessTo(caller, space) == Access::kWrite) return absl::OkStatus();
  return MakeErrorAt(Reason::kForbidden, "space", "this space may not be written");
}

absl::Status MayLook(const Caller& caller, const conflict::v1::Conflict& conflict) {
  return AccessTo(caller, conflict.entity().space()) == Access::kNone ? Hidden() : absl::OkStatus();
}

absl::Status MayDecide(const Caller& caller, const conflict::v1::Conflict& conflict) {
  RETURN_IF_ERROR(MayWrite(caller, conflict));
  const bool for_others = conflict.state() == conflict::v1::CONFLICT_STATE_ASSIGNED &&
                          conflict.assigned_to() != caller.user_id;
  if (!for_others || caller.admin) return absl::OkStatus();
  return MakeError(Reason::kForbidden, "this conflict is assigned to somebody else");
}

absl::Status MayAssign(const Caller& caller, const conflict::v1::Conflict& conflict,
                       absl::string_view user_id) {
  const bool has_it = conflict.state() == conflict::v1::CONFLICT_STATE_ASSIGNED &&
                      conflict.assigned_to() == user_id;
  return has_it ? MayWrite(caller, conflict) : MayDecide(caller, conflict);
}

absl::Status MayCancel(const Caller& caller, const conflict::v1::Conflict& conflict) {
  RETURN_IF_ERROR(MayWrite(caller, conflict));
  if (caller.admin || conflict.user_id() == caller.user_id) return absl::OkStatus();
  return MakeError(Reason::kForbidden, "only its author may give a change up");
}

absl::Status MustBeAdmin(const Caller& caller) {
  if (caller.admin) return absl::OkStatus();
  return MakeError(Reason::kForbidden, "this is for administrators");
}

}  // namespace bdcsync::gateway
