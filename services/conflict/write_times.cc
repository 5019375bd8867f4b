#include "services/conflict/write_times.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "services/conflict/rebuilt_document.h"

namespace bdcsync::conflict {
namespace {

// The next token of a pointer, without the slash, as it is written.
absl::string_view TakeToken(absl::string_view& pointer) {
  absl::ConsumePrefix(&pointer, "/");
  const absl::string_view token = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(token.size());
  return token;
}

bool IsPosition(absl::string_view token) {
  return !token.empty() &&
         absl::c_all_of(token, [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool Differ(const json::Value* a, const json::Value* b) {
  if (a == nullptr || b == nullptr) return a != b;
  return !(*a == *b);
}

}  // namespace

bool MayTouch(absl::string_view changed, absl::string_view path) {
  while (!changed.empty() && !path.empty()) {
    const absl::string_view at = TakeToken(changed);
    const absl::string_view place = TakeToken(path);
    if (at == place) continue;
    // Which element stood at the position is not known any more.
    return IsPosition(at) && absl::StrContains(place, '=');
  }
  return true;  // One is the other, or holds it.
}

WriteTimes::WriteTimes(const v1::ResolveRequest& request, int item, StateOf met, StateOf outcome)
    : request_(request),
      item_(request.items(item)),
      met_(std::move(met)),
      outcome_(std::move(outcome)) {}

std::optional<WriteTime> WriteTimes::LastAt(const std::string& path) {
  for (uint32_t number = item_.theirs_item(); number != 0;) {
    const int before = static_cast<int>(number) - 1;
    if (Differ(FindAt(path, met_(before)), FindAt(path, outcome_(before)))) {
      return WriteTime{request_.items(before).ours().client_time_ms(), 0};
    }
    number = request_.items(before).theirs_item();
  }
  for (int i = item_.theirs_writes_size(); i > 0; --i) {
    const v1::Write& write = item_.theirs_writes(i - 1);
    if (absl::c_any_of(write.changed_paths(),
                       [&](const std::string& changed) { return MayTouch(changed, path); })) {
      return WriteTime{write.client_time_ms(), write.time_ms()};
    }
  }
  wants_writes_ = wants_writes_ || item_.can_tell_writes();
  return std::nullopt;
}

}  // namespace bdcsync::conflict
