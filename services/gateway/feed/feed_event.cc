#include "services/gateway/feed/feed_event.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/entity/conflict_name.h"
#include "libs/entity/key.h"
#include "libs/entity/version_id.h"
#include "libs/json/serialize.h"
#include "services/gateway/protocol/names.h"

namespace bdcsync::gateway {
namespace {

// An event whose operation is of a later version, or not told, is one that changes the data.
absl::string_view OperationOf(const version::v1::VersionMeta& meta) {
  const bool known = meta.operation() != common::v1::OPERATION_KIND_UNSPECIFIED &&
                     common::v1::OperationKind_IsValid(meta.operation());
  return OperationName(known ? meta.operation() : common::v1::OPERATION_KIND_UPDATE);
}

std::string FormatTime(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

void AppendMember(absl::string_view name, absl::string_view text, std::string& out) {
  absl::StrAppend(&out, ",\"", name, "\":");
  json::AppendQuoted(text, out);
}

void AppendBody(const FeedEvent& event, EventBody body, std::string& out) {
  if (body == EventBody::kNone || event.tombstone) return;
  // A merged patch does not lead from what subscribers had to what there is now: send the data.
  const bool as_sent = event.meta.outcome() != common::v1::OUTCOME_MERGED;
  if (body == EventBody::kPatch && !event.meta.text().empty()) {
    absl::StrAppend(&out, ",\"text\":", event.meta.text());
  } else if (body == EventBody::kPatch && as_sent && !event.meta.patch().empty()) {
    absl::StrAppend(&out, ",\"patch\":", event.meta.patch());
  } else if (!event.data.empty()) {
    absl::StrAppend(&out, ",\"data\":", event.data);
  }
}

}  // namespace

FeedEvent::FeedEvent(event_store::v1::Event event)
    : seq(event.seq()),
      first_seq(event.first_seq()),
      revision(event.revision()),
      time_ms(event.time_ms()),
      tombstone(event.tombstone()),
      stream(std::move(*event.mutable_stream()->mutable_name())) {
  if (event.kind() == event_store::v1::STREAM_KIND_CONFLICT) {
    const auto about = entity::ParseConflictsStreamName(stream);
    if (!about.has_value()) return;
    entity_type = about->type;
    entity_id = about->id;
    conflict = ConflictEvent::Of(event);
    return;
  }
  if (event.kind() != event_store::v1::STREAM_KIND_ENTITY) return;
  const auto key = entity::ParseStreamName(stream);
  if (!key.has_value()) return;
  entity_type = key->type;
  branch = key->branch;
  entity_id = key->id;
  entity = meta.ParseFromString(event.meta());
  version_id = entity::MakeVersionId(revision, event.event_id());
  data = std::move(*event.mutable_data());
}

size_t FeedEvent::bytes() const {
  return sizeof(FeedEvent) + stream.size() + data.size() + meta.ByteSizeLong() +
         (conflict == nullptr ? 0 : conflict->bytes());
}

const std::string& FeedEvent::RenderedTail(EventBody body) const {
  std::string& tail = tails_[static_cast<size_t>(body)];
  if (!tail.empty()) return tail;
  absl::StrAppend(&tail, "\",\"version_id\":\"", version_id, "\",\"revision\":", revision);
  AppendMember("entity_type", entity_type, tail);
  AppendMember("entity_id", entity_id, tail);
  AppendMember("branch", branch, tail);
  absl::StrAppend(&tail, ",\"operation\":\"", OperationOf(meta), "\"");
  AppendBody(*this, body, tail);
  AppendMember("op_id", meta.op_id(), tail);
  AppendMember("user_id", meta.user_id(), tail);
  AppendMember("device_id", meta.device_id(), tail);
  absl::StrAppend(&tail, ",\"time\":\"", FormatTime(time_ms), "\"");
  AppendMember("category", meta.category(), tail);
  tail.push_back('}');
  return tail;
}

}  // namespace bdcsync::gateway
