#include "clients/cli/render.h"
#include "clients/cli/render_conflicts.h"
#include "clients/cli/words.h"

namespace bdcsync::cli {
namespace {

using conflict::v1::Conflict;
using conflict::v1::Decision;
using conflict::v1::OpenPlace;

void SetText(json::Value& object, absl::string_view name, const std::string& text) {
  if (!text.empty()) object.Set(name, text);
}

void SetJson(json::Value& object, absl::string_view name, const std::string& text) {
  if (!text.empty()) object.Set(name, Embedded(text));
}

json::Value JsonOf(const Decision& decision) {
  json::Value value;
  value.Set("path", decision.path());
  value.Set("kind", decision.kind());
  SetText(value, "rule", decision.rule());
  SetJson(value, "base", decision.base());
  SetJson(value, "theirs", decision.theirs());
  SetJson(value, "ours", decision.ours());
  SetText(value, "chosen", decision.chosen());
  SetJson(value, "result", decision.result());
  if (decision.close_call()) value.Set("close_call", true);
  return value;
}

json::Value JsonOf(const OpenPlace& place) {
  json::Value value = JsonOf(place.decision());
  value.Set("fallback", place.fallback());
  return value;
}

json::Value JsonOf(const conflict::v1::RuleNote& note) {
  json::Value value;
  value.Set("path", note.path());
  value.Set("note", note.note());
  return value;
}

template <typename Elements>
json::Value ArrayOf(const Elements& elements) {
  json::Array array;
  for (const auto& element : elements) array.push_back(JsonOf(element));
  return json::Value(std::move(array));
}

json::Value PathsOf(const google::protobuf::RepeatedPtrField<OpenPlace>& places) {
  json::Array array;
  for (const OpenPlace& place : places) array.emplace_back(place.decision().path());
  return json::Value(std::move(array));
}

void SetState(json::Value& states, absl::string_view name, const version::v1::EntityState& state) {
  if (state.version_id().empty()) return;
  json::Value side;
  side.Set("version_id", state.version_id());
  side.Set("revision", state.revision());
  side.Set("deleted", state.deleted());
  if (!state.deleted()) SetJson(side, "data", state.data());
  side.Set("time", TimeText(state.time_ms()));
  states.Set(name, std::move(side));
}

void SetSide(json::Value& states, absl::string_view name, const conflict::v1::Side& state) {
  json::Value side;
  side.Set("deleted", !state.exists());
  if (state.exists()) SetJson(side, "data", state.data());
  states.Set(name, std::move(side));
}

}  // namespace

json::Value JsonOf(const Conflict& conflict) {
  json::Value value;
  value.Set("conflict_id", conflict.conflict_id());
  value.Set("space", conflict.entity().space());
  value.Set("entity_type", conflict.entity().entity_type());
  value.Set("entity_id", conflict.entity().entity_id());
  value.Set("branch", conflict.branch());
  value.Set("status", WordOf(conflict.state()));
  value.Set("op_id", conflict.op_id());
  value.Set("user_id", conflict.user_id());
  value.Set("device_id", conflict.device_id());
  SetText(value, "base_version", conflict.base_version_id());
  SetText(value, "theirs_version", conflict.theirs_version_id());
  SetText(value, "ours_version", conflict.ours_version_id());
  value.Set("opened_at", TimeText(conflict.opened_ms()));
  value.Set("deadline", TimeText(conflict.deadline_ms()));
  SetText(value, "assigned_to", conflict.assigned_to());
  value.Set("paths", ArrayOf(conflict.places()));
  SetText(value, "closed_by", conflict.closed_by());
  if (conflict.closed_ms() != 0) value.Set("closed_at", TimeText(conflict.closed_ms()));
  SetText(value, "version_id", conflict.closing_version_id());
  return value;
}

json::Value JsonOf(const version::v1::ConflictView& view) {
  json::Value states;
  SetState(states, "base", view.base());
  SetState(states, "theirs", view.theirs());
  SetState(states, "ours", view.ours());
  if (view.has_proposed()) SetSide(states, "proposed", view.proposed());
  if (view.has_preview()) SetSide(states, "preview", view.preview());
  states.Set("open_paths", PathsOf(view.open()));
  if (!view.notes().empty()) states.Set("notes", ArrayOf(view.notes()));
  json::Value value = JsonOf(view.conflict());
  value.Set("states", std::move(states));
  return value;
}

json::Value JsonOf(const std::string& conflict_id, const sync::v1::DecideResult& result) {
  json::Value value;
  value.Set("conflict_id", conflict_id);
  value.Set("success", !result.has_error());
  if (result.has_error()) {
    if (result.has_conflict()) value.Set("conflict", JsonOf(result.conflict()));
    json::Value error;
    error.Set("code", result.error().code());
    error.Set("message", result.error().message());
    SetText(error, "path", result.error().path());
    value.Set("error", std::move(error));
    return value;
  }
  value.Set("status", WordOf(result.conflict().state()));
  SetText(value, "version_id", result.version_id());
  SetText(value, "cursor", result.cursor());
  if (!result.open().empty()) value.Set("open_paths", PathsOf(result.open()));
  return value;
}

json::Value JsonOf(const conflict::v1::Resolution& resolution) {
  json::Value value;
  value.Set("op_id", resolution.op_id());
  value.Set("space", resolution.entity().space());
  value.Set("entity_type", resolution.entity().entity_type());
  value.Set("entity_id", resolution.entity().entity_id());
  value.Set("time", TimeText(resolution.time_ms()));
  value.Set("user_id", resolution.user_id());
  value.Set("device_id", resolution.device_id());
  SetText(value, "app_version", resolution.app_version());
  SetText(value, "base_version", resolution.base_version_id());
  SetText(value, "theirs_version", resolution.theirs_version_id());
  SetText(value, "conflict_id", resolution.conflict_id());
  SetText(value, "undone_by", resolution.undone_by_version_id());
  value.Set("decisions", ArrayOf(resolution.decisions()));
  return value;
}

json::Value JsonOf(const conflict::v1::AnalyzeGroup& group) {
  json::Value value;
  value.Set("key", group.key());
  value.Set("automatic", group.automatic());
  value.Set("asked", group.asked());
  value.Set("resolved", group.resolved());
  value.Set("expired", group.expired());
  value.Set("reversed", group.reversed());
  value.Set("resolve_p50_ms", group.resolve_p50_ms());
  value.Set("resolve_p90_ms", group.resolve_p90_ms());
  value.Set("resolve_p99_ms", group.resolve_p99_ms());
  return value;
}

json::Value JsonOf(const conflict::v1::RuleSet& rules) {
  json::Value value;
  value.Set("entity_type", rules.entity_type());
  value.Set("version", rules.version());
  value.Set("active", rules.active());
  value.Set("author", rules.author());
  value.Set("time", TimeText(rules.time_ms()));
  SetJson(value, "rules", rules.rules());
  return value;
}

json::Value JsonOf(const conflict::v1::DryRunResponse& report) {
  json::Value value;
  value.Set("records", report.records());
  value.Set("decisions", report.decisions());
  value.Set("changed", report.changed());
  value.Set("asked", report.asked());
  value.Set("remote", report.remote());
  value.Set("stood_in", report.stood_in());
  json::Array changes;
  for (const conflict::v1::DryRunChange& change : report.changes()) {
    json::Value one;
    one.Set("op_id", change.op_id());
    one.Set("entity_type", change.entity().entity_type());
    one.Set("entity_id", change.entity().entity_id());
    one.Set("recorded", JsonOf(change.recorded()));
    one.Set("tried", JsonOf(change.tried()));
    SetText(one, "note", change.note());
    changes.push_back(std::move(one));
  }
  value.Set("changes", json::Value(std::move(changes)));
  return value;
}

json::Value JsonOf(const sync::v1::ConflictNews& news) {
  json::Value value;
  value.Set("type", news.opened() ? "conflict_opened" : "conflict_closed");
  value.Set("seq", news.seq());
  value.Set("open_conflicts", static_cast<int64_t>(news.open_conflicts()));
  const json::Value conflict = JsonOf(news.conflict());
  for (const auto& [name, member] : conflict.object()) value.Set(name, member);
  return value;
}

}  // namespace bdcsync::cli
