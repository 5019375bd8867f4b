#include "clients/cli/advice.h"

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection_error.h"
#include "libs/base/errors.h"

namespace bdcsync::cli {
namespace {

constexpr char kOtherSpace[] = "--space names another space";

// Where what was not found would be listed.
std::string ListForConflicts(absl::string_view action) {
  if (action == "undo") return "`bdc-sync conflicts records` shows the decisions that there are";
  if (action.empty() || action == "list" || action == "stats" || action == "records") {
    return kOtherSpace;
  }
  return absl::StrCat("`bdc-sync conflicts --status any` shows them; ", kOtherSpace);
}

std::string ListFor(absl::string_view command, const Arguments& arguments) {
  const std::string first = arguments.operand(0);
  if (command == "spool" || command == "config" || command == "status") return "";
  if (command == "devices") return arguments.Has("owner") ? "" : "`bdc-sync devices` shows yours";
  if (command == "rules") return "`bdc-sync rules list` shows which types have rules";
  if (command == "conflicts") return ListForConflicts(first);
  if (command == "resolve") return ListForConflicts(command);
  const bool earlier = arguments.Has("version") || arguments.Has("as-of");
  if (command == "diff" || (command == "get" && earlier)) {
    return absl::StrCat("`bdc-sync history ", first, "` shows the versions that there are");
  }
  return absl::StrCat("`bdc-sync list` shows what there is; ", kOtherSpace);
}

}  // namespace

std::string AdviceOn(const absl::Status& status, absl::string_view command,
                     const Arguments* arguments, absl::string_view address) {
  if (IsUsageError(status)) return absl::StrCat("see `bdc-sync help ", command, "`");
  if (IsNotConnected(status)) {
    return absl::StrCat("is a server running at ", address,
                        "? Start one with `bdc-sync serve`, or name another with --address");
  }
  switch (ReasonOf(status)) {
    case Reason::kUnavailable:
      return command == "status" ? "" : "`bdc-sync status` shows what is away";
    case Reason::kDeadlineExceeded:
      return "the server is slow or stuck: look at `bdc-sync status`, or wait longer with "
             "--timeout";
    case Reason::kUnauthenticated:
    case Reason::kTokenExpired:
      return "give a valid --token or BDC_SYNC_TOKEN, or use the secret of `bdc-sync serve`: "
             "`bdc-sync help token`";
    case Reason::kForbidden:
      return "the token does not allow this; `bdc-sync token --grant SPACE=write` makes one that "
             "does, if you have the secret (--admin for spool, config, rules, and what is others')";
    case Reason::kNotFound:
      return arguments == nullptr ? "" : ListFor(command, *arguments);
    case Reason::kAlreadyExists:
      return "leave --create out to replace it";
    case Reason::kOperationIdReused:
      return "leave --op-id out, or give a new one";
    case Reason::kBaseNotFound:
      return "`bdc-sync history` shows the versions that there are";
    case Reason::kRateLimited:
      return "wait a little and try again";
    default:
      return "";
  }
}

}  // namespace bdcsync::cli
