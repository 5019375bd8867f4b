#include "services/gateway/session/caller.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::string_view kOwnSpacePrefix = "user:";

}  // namespace

std::string OwnSpace(const Caller& caller) { return absl::StrCat(kOwnSpacePrefix, caller.user_id); }

Access AccessTo(const Caller& caller, absl::string_view space) {
  if (caller.admin) return Access::kWrite;
  absl::string_view owner = space;
  if (absl::ConsumePrefix(&owner, kOwnSpacePrefix)) {
    // Nobody's space can be granted by a token: it belongs to one user.
    return owner == caller.user_id && !owner.empty() ? Access::kWrite : Access::kNone;
  }
  const auto entry = caller.spaces.find(space);
  return entry == caller.spaces.end() ? Access::kNone : entry->second;
}

}  // namespace bdcsync::gateway
