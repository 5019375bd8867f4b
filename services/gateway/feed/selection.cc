#include "services/gateway/feed/selection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/transform.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::string_view kSelection = "selection";

std::optional<std::string> TextOf(const json::Value& object, absl::string_view name) {
  const json::Value* value = object.Find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->string());
}

std::optional<int64_t> PositionOf(const json::Value& object, absl::string_view name) {
  const json::Value* value = object.Find(name);
  const auto position = value == nullptr ? absl::StatusOr<int64_t>(-1) : value->AsInt64();
  // No text is longer than a delta may be.
  if (!position.ok() || *position < 0 || *position > ot::DeltaLimits().length_max) {
    return std::nullopt;
  }
  return *position;
}

}  // namespace

const ot::Delta* EventText::ChangeOf(absl::string_view path) {
  if (!read_) Read();
  return change_.has_value() && path_ == path ? &*change_ : nullptr;
}

void EventText::Read() {
  read_ = true;
  if (event_.meta.text().empty()) return;
  const auto text = json::Parse(event_.meta.text(), {.depth_max = json::kDepthCeiling});
  if (!text.ok()) return;
  const json::Value* const edited = text->Find("path");
  const json::Value* const ops = text->Find("ops");
  if (edited == nullptr || ops == nullptr || !edited->is_string()) return;
  absl::StatusOr<ot::Delta> change = ot::ParseDelta(*ops);
  if (!change.ok()) return;
  path_ = std::string(edited->string());
  change_ = *std::move(change);
}

std::optional<Selection> Selection::Of(absl::string_view state) {
  if (!absl::StrContains(state, kSelection)) return std::nullopt;  // Most say nothing of texts.
  const auto value = json::Parse(state, {.depth_max = json::kDepthCeiling});
  const json::Value* const selection = value.ok() ? value->Find(kSelection) : nullptr;
  if (selection == nullptr || !selection->is_object()) return std::nullopt;
  const auto type = TextOf(*selection, "entity_type");
  const auto id = TextOf(*selection, "entity_id");
  const auto path = TextOf(*selection, "path");
  const auto version_id = TextOf(*selection, "version_id");
  const auto version = entity::ParseVersionId(version_id.value_or(""));
  const auto anchor = PositionOf(*selection, "anchor");
  const auto head = PositionOf(*selection, "head");
  if (!type || !id || !path || !version || !anchor || !head) return std::nullopt;
  Selection found;
  const std::string branch =
      TextOf(*selection, "branch").value_or(std::string(entity::kMainBranch));
  found.stream_ = absl::StrCat(*type, ":", branch, ":", *id);
  found.path_ = *path;
  found.version_ = *version;
  found.anchor_ = *anchor;
  found.head_ = *head;
  return found;
}

void Selection::MoveOver(EventText& text, bool own) {
  const FeedEvent& event = text.event();
  if (event.stream != stream_ || event.revision - 1 != version_.revision) return;
  const auto next = entity::ParseVersionId(event.version_id);
  if (!next.has_value()) return;
  version_ = *next;
  moved_ = true;
  const ot::Delta* const change = text.ChangeOf(path_);
  if (change == nullptr) return;
  const ot::Priority priority = own ? ot::Priority::kOther : ot::Priority::kThis;
  anchor_ = ot::TransformPosition(*change, anchor_, priority);
  head_ = ot::TransformPosition(*change, head_, priority);
}

void Selection::MoveOver(const EventRing& recent, absl::string_view user_id,
                         absl::string_view device_id) {
  std::vector<const FeedEvent*> later;  // Newest first.
  size_t bytes = 0;
  const int64_t oldest = std::max(recent.start(), recent.end() - kSelectionEventsMax);
  for (int64_t seq = recent.end(); seq > oldest; --seq) {
    const FeedEvent& event = *recent.At(seq);
    if (event.stream != stream_) continue;
    if (event.revision <= version_.revision) break;
    bytes += event.meta.text().size();
    if (bytes > kSelectionBytesMax) return;
    later.push_back(&event);
  }
  for (auto event = later.rbegin(); event != later.rend(); ++event) {
    EventText text(**event);
    MoveOver(text, (*event)->meta.user_id() == user_id && (*event)->meta.device_id() == device_id);
  }
}

std::string Selection::In(absl::string_view state) const {
  auto value = json::Parse(state, {.depth_max = json::kDepthCeiling});
  json::Value* const selection = value.ok() ? value->Find(kSelection) : nullptr;
  if (selection == nullptr) return std::string(state);
  selection->Set("version_id", entity::MakeVersionId(version_.revision, version_.event_id));
  selection->Set("anchor", anchor_);
  selection->Set("head", head_);
  return json::Serialize(*value);
}

}  // namespace bdcsync::gateway
