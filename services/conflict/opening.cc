#include "services/conflict/opening.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/entity/key.h"
#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {
namespace {

constexpr size_t kIdBytes = 16;

merge::Pick FallbackOf(const merge::Decision& place, const OpeningDefaults& defaults) {
  return place.ask == nullptr ? defaults.fallback : place.ask->fallback.value_or(defaults.fallback);
}

}  // namespace

std::string ConflictIdOf(absl::string_view space, absl::string_view op_id) {
  const std::string operation = absl::StrCat(space, absl::string_view("\0", 1), op_id);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(operation.data()), operation.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), kIdBytes));
}

std::string BranchOf(absl::string_view conflict_id) {
  return absl::StrCat("conflict/", conflict_id);
}

v1::Conflict OpeningOf(const v1::ResolveItem& item, const std::vector<merge::Decision>& open,
                       const OpeningDefaults& defaults) {
  v1::Conflict conflict;
  conflict.set_conflict_id(ConflictIdOf(item.entity().space(), item.op_id()));
  *conflict.mutable_entity() = item.entity();
  conflict.mutable_entity()->set_branch(std::string(entity::kMainBranch));
  conflict.set_branch(BranchOf(conflict.conflict_id()));
  conflict.set_state(v1::CONFLICT_STATE_OPENING);
  conflict.set_op_id(item.op_id());
  conflict.set_base_version_id(item.base().version_id());
  conflict.set_theirs_version_id(item.theirs().version_id());
  conflict.set_user_id(item.ours().user_id());
  conflict.set_device_id(item.ours().device_id());
  conflict.set_app_version(item.ours().app_version());
  conflict.set_opened_ms(defaults.now_ms);
  absl::Duration wait = absl::InfiniteDuration();
  for (const merge::Decision& place : open) {
    const merge::AskArguments* const ask = place.ask.get();
    wait = std::min(wait,
                    ask != nullptr ? ask->deadline.value_or(defaults.deadline) : defaults.deadline);
    if (ask != nullptr && conflict.assigned_to().empty()) {
      conflict.set_assigned_to(ask->assign_to);
    }
  }
  conflict.set_deadline_ms(defaults.now_ms + absl::ToInt64Milliseconds(wait));
  const size_t places = AreToldApart(open, kOpenPlacesMax) ? open.size() : 1;
  for (size_t i = 0; i < places; ++i) {
    conflict.add_places()->set_fallback(
        std::string(merge::PickName(FallbackOf(open[i], defaults))));
  }
  return conflict;
}

}  // namespace bdcsync::conflict
