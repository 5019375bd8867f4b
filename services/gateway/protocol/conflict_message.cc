#include "services/gateway/protocol/conflict_message.h"

#include "absl/strings/str_cat.h"
#include "services/gateway/protocol/json_writer.h"
#include "services/gateway/protocol/message_parts.h"

namespace bdcsync::gateway {
namespace {

using conflict::v1::Conflict;
using conflict::v1::OpenPlace;
using version::v1::ConflictView;
using version::v1::EntityState;

void WriteUnlessEmpty(JsonWriter& writer, absl::string_view name, const std::string& json) {
  if (!json.empty()) writer.Raw(name, json);
}

void AppendPlace(const OpenPlace& place, std::string& out) {
  const conflict::v1::Decision& decision = place.decision();
  JsonWriter writer(out);
  writer.Text("path", decision.path());
  writer.Text("kind", decision.kind());
  WriteUnlessEmpty(writer, "base", decision.base());
  WriteUnlessEmpty(writer, "theirs", decision.theirs());
  WriteUnlessEmpty(writer, "ours", decision.ours());
  writer.Text("fallback", place.fallback());
  writer.TextUnlessEmpty("chosen", decision.chosen());
  writer.End();
}

void AppendNote(const conflict::v1::RuleNote& note, std::string& out) {
  JsonWriter writer(out);
  writer.Text("path", note.path());
  writer.Text("note", note.note());
  writer.End();
}

// All members of the object that stands for a conflict.
void WriteConflict(JsonWriter& writer, const Conflict& conflict) {
  writer.Text("conflict_id", conflict.conflict_id());
  writer.Text("space", conflict.entity().space());
  writer.Text("entity_type", conflict.entity().entity_type());
  writer.Text("entity_id", conflict.entity().entity_id());
  writer.Text("branch", conflict.branch());
  writer.Text("status", NameOf(conflict.state()));
  writer.Text("op_id", conflict.op_id());
  writer.Text("user_id", conflict.user_id());
  writer.Text("device_id", conflict.device_id());
  writer.TextUnlessEmpty("base_version", conflict.base_version_id());
  writer.TextUnlessEmpty("theirs_version", conflict.theirs_version_id());
  writer.TextUnlessEmpty("ours_version", conflict.ours_version_id());
  writer.Time("opened_at", conflict.opened_ms());
  writer.Time("deadline", conflict.deadline_ms());
  writer.TextUnlessEmpty("assigned_to", conflict.assigned_to());
  writer.Array("paths", conflict.places(), AppendPlace);
  writer.TextUnlessEmpty("closed_by", conflict.closed_by());
  if (conflict.closed_ms() != 0) writer.Time("closed_at", conflict.closed_ms());
  writer.TextUnlessEmpty("version_id", conflict.closing_version_id());
}

void WritePathsOf(JsonWriter& writer, const google::protobuf::RepeatedPtrField<OpenPlace>& open) {
  writer.Array("open_paths", open, [](const OpenPlace& place, std::string& out) {
    json::AppendQuoted(place.decision().path(), out);
  });
}

// A state that does not exist is left out.
void WriteState(JsonWriter& writer, absl::string_view name, const EntityState& state) {
  if (state.version_id().empty()) return;
  writer.Value(name, [&state](std::string& out) {
    JsonWriter side(out);
    side.Text("version_id", state.version_id());
    side.Int("revision", state.revision());
    side.Bool("deleted", state.deleted());
    if (!state.deleted()) WriteUnlessEmpty(side, "data", state.data());
    side.Time("time", state.time_ms());
    side.End();
  });
}

void WriteSide(JsonWriter& writer, absl::string_view name, const conflict::v1::Side& state) {
  writer.Value(name, [&state](std::string& out) {
    JsonWriter side(out);
    side.Bool("deleted", !state.exists());
    if (state.exists()) WriteUnlessEmpty(side, "data", state.data());
    side.End();
  });
}

void AppendStates(const ConflictView& view, std::string& out) {
  JsonWriter writer(out);
  WriteState(writer, "base", view.base());
  WriteState(writer, "theirs", view.theirs());
  WriteState(writer, "ours", view.ours());
  if (view.has_proposed()) WriteSide(writer, "proposed", view.proposed());
  if (view.has_preview()) WriteSide(writer, "preview", view.preview());
  WritePathsOf(writer, view.open());
  if (!view.notes().empty()) writer.Array("notes", view.notes(), AppendNote);
  writer.End();
}

void AppendConflict(const Conflict& conflict, std::string& out) {
  JsonWriter writer(out);
  WriteConflict(writer, conflict);
  writer.End();
}

}  // namespace

absl::string_view NameOf(conflict::v1::ConflictState state) {
  switch (state) {
    case conflict::v1::CONFLICT_STATE_ASSIGNED:
      return "assigned";
    case conflict::v1::CONFLICT_STATE_RESOLVED:
      return "resolved";
    case conflict::v1::CONFLICT_STATE_EXPIRED:
      return "expired";
    case conflict::v1::CONFLICT_STATE_SUPERSEDED:
      return "superseded";
    case conflict::v1::CONFLICT_STATE_CANCELLED:
      return "cancelled";
    default:
      return "open";
  }
}

std::string ConflictsMessage(absl::string_view id, const sync::v1::ListConflictsResponse& page) {
  return Answer("conflicts", id, true, [&](JsonWriter& writer) {
    writer.Array("conflicts", page.conflicts(), AppendConflict);
    writer.TextUnlessEmpty("next_page_token", page.next_page_token());
  });
}

std::string ConflictViewMessage(absl::string_view id, const ConflictView& view) {
  return Answer("conflicts", id, true, [&](JsonWriter& writer) {
    writer.Value("conflicts", [&view](std::string& out) {
      out += "[";
      JsonWriter one(out);
      WriteConflict(one, view.conflict());
      one.Value("states", [&view](std::string& states) { AppendStates(view, states); });
      one.End();
      out += "]";
    });
  });
}

std::string ConflictResolvedMessage(absl::string_view id, absl::string_view conflict_id,
                                    const sync::v1::DecideResult& result) {
  return Answer("conflict_resolved", id, !result.has_error(), [&](JsonWriter& writer) {
    writer.Text("conflict_id", conflict_id);
    if (result.has_error()) {
      if (result.has_conflict()) {
        writer.Value("conflict", [&](std::string& out) { AppendConflict(result.conflict(), out); });
      }
      WriteError(writer, result.error());
      return;
    }
    writer.Text("status", NameOf(result.conflict().state()));
    if (!result.version_id().empty()) {
      writer.Text("version_id", result.version_id());
      writer.Int("revision", result.revision());
    }
    writer.TextUnlessEmpty("cursor", result.cursor());
    if (!result.open().empty()) WritePathsOf(writer, result.open());
  });
}

std::string ConflictNewsTail(int64_t seq, int64_t open_conflicts, const Conflict& conflict) {
  std::string object;
  JsonWriter writer(object);
  writer.Int("seq", seq);
  writer.Int("open_conflicts", open_conflicts);
  WriteConflict(writer, conflict);
  writer.End();
  object.front() = ',';
  return object;
}

}  // namespace bdcsync::gateway
