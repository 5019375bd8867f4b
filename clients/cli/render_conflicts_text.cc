#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/render.h"
#include "clients/cli/render_conflicts.h"
#include "clients/cli/table.h"
#include "clients/cli/words.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

using conflict::v1::Conflict;
using conflict::v1::Decision;
using conflict::v1::OpenPlace;

constexpr std::size_t kPathWidth = 60;

std::string ShortTime(int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

// A name that cannot steer the terminal.
std::string Name(const std::string& name) { return OneLine(name, kPathWidth); }

// What stands on one side of a place, for a cell.
std::string Value(const std::string& json) { return json.empty() ? "(nothing)" : json; }

std::string Path(const std::string& path) {
  return path.empty() ? "(the whole)" : OneLine(path, kPathWidth);
}

std::string PathsOf(const google::protobuf::RepeatedPtrField<OpenPlace>& places) {
  std::string text;
  for (const OpenPlace& place : places) {
    absl::StrAppend(&text, text.empty() ? "" : " ", Path(place.decision().path()));
  }
  return text;
}

std::string Place(const OpenPlace& place) {
  const Decision& decision = place.decision();
  std::string text = absl::StrCat("\n", Path(decision.path()), "  ", decision.kind(),
                                  "; at the deadline: ", place.fallback());
  if (!decision.chosen().empty()) absl::StrAppend(&text, "; chosen: ", decision.chosen());
  absl::StrAppend(&text, "\n");
  return text + FormatTable({{"  BASE", "THEIRS", "OURS"},
                             {"  " + Value(decision.base()), Value(decision.theirs()),
                              Value(decision.ours())}});
}

std::string Pretty(const conflict::v1::Side& side) {
  if (!side.exists()) return "deleted\n";
  return EscapeControls(json::SerializePretty(Embedded(side.data()))) + "\n";
}

std::string Closing(const Conflict& conflict) {
  if (conflict.closed_ms() == 0) return "";
  return absl::StrCat(
      "closed ", ShortTime(conflict.closed_ms()), " UTC",
      conflict.closed_by().empty() ? "" : absl::StrCat(" by ", Name(conflict.closed_by())),
      conflict.closing_version_id().empty()
          ? ""
          : absl::StrCat(" with version ", conflict.closing_version_id()),
      "\n");
}

std::string Milliseconds(int64_t milliseconds) {
  return absl::FormatDuration(absl::Milliseconds(milliseconds));
}

Row RowOf(const conflict::v1::AnalyzeGroup& group) {
  return {group.key().empty() ? "(none)" : group.key(),
          absl::StrCat(group.automatic()),
          absl::StrCat(group.asked()),
          absl::StrCat(group.resolved()),
          absl::StrCat(group.expired()),
          absl::StrCat(group.reversed()),
          Milliseconds(group.resolve_p50_ms()),
          Milliseconds(group.resolve_p90_ms()),
          Milliseconds(group.resolve_p99_ms())};
}

// Rules that could not be followed.
std::string NotesOf(const version::v1::ConflictView& view) {
  std::string text;
  for (const conflict::v1::RuleNote& note : view.notes()) {
    absl::StrAppend(&text, "the else stands in at ", Path(note.path()), ": ", Name(note.note()),
                    "\n");
  }
  return text;
}

}  // namespace

std::string TableOf(const std::vector<Conflict>& conflicts) {
  if (conflicts.empty()) return "no conflicts\n";
  std::vector<Row> rows = {
      {"CONFLICT", "STATE", "ENTITY", "BY", "OPENED (UTC)", "DEADLINE (UTC)", "FOR", "PLACES"}};
  for (const Conflict& conflict : conflicts) {
    rows.push_back({conflict.conflict_id(), std::string(WordOf(conflict.state())),
                    NameOf(conflict.entity()), conflict.user_id(), ShortTime(conflict.opened_ms()),
                    ShortTime(conflict.deadline_ms()),
                    conflict.assigned_to().empty() ? "anybody" : conflict.assigned_to(),
                    PathsOf(conflict.places())});
  }
  return FormatTable(rows);
}

std::string TextOf(const version::v1::ConflictView& view) {
  const Conflict& conflict = view.conflict();
  std::string text = absl::StrCat(
      "conflict ", conflict.conflict_id(), "  ", WordOf(conflict.state()),
      conflict.assigned_to().empty() ? "" : absl::StrCat(" to ", Name(conflict.assigned_to())),
      "\n", NameOf(conflict.entity()), "  in ", conflict.entity().space(), "\n", "change of ",
      Name(conflict.user_id()),
      conflict.device_id().empty() ? "" : absl::StrCat(" on ", Name(conflict.device_id())),
      ", opened ", ShortTime(conflict.opened_ms()), " UTC, deadline ",
      ShortTime(conflict.deadline_ms()), " UTC\n", Closing(conflict));
  for (const OpenPlace& place : conflict.places()) text += Place(place);
  if (view.has_proposed()) absl::StrAppend(&text, "\nproposed:\n", Pretty(view.proposed()));
  return text + NotesOf(view);
}

std::string PreviewOf(const version::v1::ConflictView& view) {
  std::string text = Pretty(view.preview());
  if (!view.open().empty()) absl::StrAppend(&text, "still open: ", PathsOf(view.open()), "\n");
  return text + NotesOf(view);
}

std::string TextOf(const std::string& conflict_id, const sync::v1::DecideResult& result) {
  std::string text = conflict_id;
  if (result.has_error()) {
    absl::StrAppend(&text, "  ", result.error().code(), ": ", result.error().message());
    if (!result.error().path().empty()) absl::StrAppend(&text, " at ", result.error().path());
    if (result.has_conflict()) {
      absl::StrAppend(&text, " (it is ", WordOf(result.conflict().state()),
                      result.conflict().closed_by().empty()
                          ? ""
                          : absl::StrCat(" by ", Name(result.conflict().closed_by())),
                      ")");
    }
    return text + "\n";
  }
  absl::StrAppend(&text, "  ", WordOf(result.conflict().state()), "  ",
                  NameOf(result.conflict().entity()));
  if (!result.version_id().empty()) absl::StrAppend(&text, "  version ", result.version_id());
  if (!result.open().empty()) absl::StrAppend(&text, "  still open: ", PathsOf(result.open()));
  return text + "\n";
}

std::string TableOf(const std::vector<conflict::v1::Resolution>& resolutions) {
  if (resolutions.empty()) return "no records\n";
  std::vector<Row> rows = {
      {"TIME (UTC)", "OPERATION", "ENTITY", "USER", "PATH", "RULE", "CHOSEN", "UNDONE"}};
  for (const conflict::v1::Resolution& resolution : resolutions) {
    for (const Decision& decision : resolution.decisions()) {
      rows.push_back({ShortTime(resolution.time_ms()), resolution.op_id(),
                      NameOf(resolution.entity()), resolution.user_id(), Path(decision.path()),
                      decision.rule(),
                      absl::StrCat(decision.chosen(), decision.close_call() ? " (close)" : ""),
                      resolution.undone_by_version_id().empty() ? "" : "undone"});
    }
  }
  return FormatTable(rows);
}

std::string TextOf(const conflict::v1::AnalyzeResponse& report) {
  std::vector<Row> rows = {{"KEY", "AUTOMATIC", "ASKED", "RESOLVED", "EXPIRED", "REVERSED",
                            "RESOLVED P50", "P90", "P99"}};
  for (const conflict::v1::AnalyzeGroup& group : report.groups()) rows.push_back(RowOf(group));
  Row total = RowOf(report.total());
  total.front() = "(all)";
  rows.push_back(std::move(total));
  return FormatTable(rows);
}

std::string TableOf(const std::vector<conflict::v1::RuleSet>& rules) {
  if (rules.empty()) return "no rules: the defaults hold\n";
  std::vector<Row> rows = {{"TYPE", "VERSION", "STATE", "AUTHOR", "TIME (UTC)"}};
  for (const conflict::v1::RuleSet& one : rules) {
    rows.push_back({one.entity_type(), absl::StrCat(one.version()), one.active() ? "holds" : "",
                    one.author(), ShortTime(one.time_ms())});
  }
  return FormatTable(rows);
}

std::string TextOf(const conflict::v1::DryRunResponse& report) {
  std::string text = absl::StrCat(report.records(), " records, ", report.decisions(),
                                  " decisions: ", report.changed(), " would be others, ",
                                  report.asked(), " left to a person\n");
  if (report.remote() > 0) {
    absl::StrAppend(&text, report.remote(), " places were asked about at other programs\n");
  }
  if (report.stood_in() > 0) {
    absl::StrAppend(&text, "of ", report.stood_in(),
                    " decisions the rule was not followed: its else stands in\n");
  }
  if (report.changes().empty()) return text;
  std::vector<Row> rows = {{"ENTITY", "PATH", "WAS", "BY", "WOULD BE", "BY", "OPERATION", "NOTE"}};
  for (const conflict::v1::DryRunChange& change : report.changes()) {
    rows.push_back({NameOf(change.entity()), Path(change.recorded().path()),
                    change.recorded().chosen(), change.recorded().rule(),
                    change.tried().chosen().empty() ? "asked" : change.tried().chosen(),
                    change.tried().rule(), change.op_id(), change.note()});
  }
  return text + FormatTable(rows);
}

std::string TextOf(const sync::v1::ConflictNews& news) {
  const Conflict& conflict = news.conflict();
  return absl::StrCat(ShortTime(news.opened() ? conflict.opened_ms() : conflict.closed_ms()),
                      "  conflict ", news.opened() ? "opened" : WordOf(conflict.state()), "  ",
                      NameOf(conflict.entity()), "  ", conflict.conflict_id(), "\n");
}

}  // namespace bdcsync::cli
