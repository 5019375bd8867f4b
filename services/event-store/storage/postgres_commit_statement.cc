#include "services/event-store/storage/postgres_commit_statement.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bdcsync::event_store {
namespace {

struct Column {
  absl::string_view name;
  absl::string_view type;
};
using Columns = absl::Span<const Column>;

constexpr Column kLogColumns[] = {{"log_id", "int4"},        {"epoch", "int8"},
                                  {"position", "int8"},      {"next_position", "int8"},
                                  {"next_space_id", "int8"}, {"time_ms", "int8"}};
constexpr Column kEventColumns[] = {
    {"log_id", "int4"},   {"position", "int8"},  {"space_id", "int8"},
    {"seq", "int8"},      {"stream_id", "uuid"}, {"revision", "int8"},
    {"event_id", "int8"}, {"flags", "int2"},     {"bytes", "int4"}};
constexpr Column kNewStreamColumns[] = {{"kind", "int2"}, {"name", "text"}};
constexpr Column kGrownStreamColumns[] = {{"first_position", "int8"}, {"first_seq", "int8"}};
constexpr Column kOperationColumns[] = {{"op_key", "uuid"}, {"request_hash", "int8"}};
constexpr Column kPayloadColumns[] = {{"meta", "bytea"}, {"data", "bytea"}};
constexpr Column kNewSpaceColumns[] = {{"log_id", "int4"}, {"space_id", "int8"}, {"name", "text"}};

// Where the rows of one kind are selected from, and what their columns are called there.
struct Source {
  std::string from;
  std::vector<std::pair<absl::string_view, std::string>> columns;

  absl::string_view operator[](absl::string_view column) const {
    for (const auto& [name, text] : columns) {
      if (name == column) return text;
    }
    return "";  // The server refuses that.
  }
  std::string Has(EventFlag flag) const {
    return absl::StrCat("(", (*this)["flags"], " & ", flag, " <> 0)");
  }
};

// Writes the statement and counts its parameters.
class Text {
 public:
  explicit Text(uint32_t parts) : parts_((parts & kOneRow) != 0 ? parts & ~kNamed : parts) {
    if (Has(kNamed)) parameters_ = 2;
    Add("WITH ");
    WinLogs();
    const Source events = Events();
    if (Has(kNewSpaces)) MakeSpaces(Won(Parameters(ToVector(kNewSpaceColumns), "n")));
    if (Has(kNewStreams)) MakeStreams(events);
    if (Has(kKnownStreams)) MoveStreams(events);
    if (Has(kOperations)) RememberOperations(events);
    AddEvents(events);
    Count();
  }
  std::string Take() && { return std::move(text_); }

 private:
  bool Has(CommitPart part) const { return (parts_ & part) != 0; }

  template <typename... Parts>
  void Add(const Parts&... parts) {
    absl::StrAppend(&text_, parts...);
  }

  static std::vector<Column> ToVector(Columns columns) {
    return std::vector<Column>(columns.begin(), columns.end());
  }
  std::vector<Column> EventColumns() const {
    std::vector<Column> columns = ToVector(kEventColumns);
    const auto append = [&](Columns more) {
      columns.insert(columns.end(), more.begin(), more.end());
    };
    if (Has(kNewStreams)) append(kNewStreamColumns);
    if (Has(kGrownStreams)) append(kGrownStreamColumns);
    if (Has(kOperations)) append(kOperationColumns);
    append(kPayloadColumns);
    return columns;
  }

  // The next parameters: rows called `as`, or with kOneRow the values of the row.
  Source Parameters(const std::vector<Column>& columns, absl::string_view as) {
    Source source;
    std::string names, arrays;
    for (const Column& column : columns) {
      const std::string value = absl::StrCat("$", ++parameters_, "::", column.type);
      source.columns.emplace_back(column.name,
                                  Has(kOneRow) ? value : absl::StrCat(as, ".", column.name));
      absl::StrAppend(&names, names.empty() ? "" : ", ", column.name);
      absl::StrAppend(&arrays, arrays.empty() ? "" : ", ", value, "[]");
    }
    if (!Has(kOneRow)) source.from = absl::StrCat("unnest(", arrays, ") ", as, "(", names, ")");
    return source;
  }
  // Those of `rows` whose log won.
  Source Won(Source rows) const {
    rows.from = Has(kOneRow) ? "won" : absl::StrCat(rows.from, " JOIN won USING (log_id)");
    return rows;
  }

  void WinLogs() {
    const Source wanted = Parameters(ToVector(kLogColumns), "w");
    if (!Has(kOneRow)) {
      Add("wanted AS MATERIALIZED (SELECT * FROM ", wanted.from);
      if (Has(kNamed)) {
        Add(" WHERE $1::text = '' OR current_setting('bdcsync.commit', true) = $1::text");
      }
      Add("), ");
    }
    if (Has(kSeveralLogs)) {
      Add("locked AS MATERIALIZED (SELECT h.log_id FROM log_heads h JOIN wanted w USING (log_id) "
          "WHERE h.epoch = w.epoch AND h.next_position = w.position "
          "ORDER BY h.log_id FOR UPDATE OF h), ");
    }
    Add("won AS MATERIALIZED (UPDATE log_heads h SET next_position = ", wanted["next_position"],
        ", next_space_id = ", wanted["next_space_id"], ", last_time_ms = ", wanted["time_ms"]);
    if (!Has(kOneRow)) Add(" FROM wanted w");
    if (Has(kSeveralLogs)) Add(" JOIN locked USING (log_id)");
    Add(" WHERE h.log_id = ", wanted["log_id"], " AND h.epoch = ", wanted["epoch"],
        " AND h.next_position = ", wanted["position"], " RETURNING h.log_id, ", wanted["time_ms"],
        " AS time_ms), ");
  }

  // The events whose logs won, with the times of these.
  Source Events() {
    Source events = Won(Parameters(EventColumns(), "n"));
    if (!Has(kOneRow)) {
      Add("incoming AS MATERIALIZED (SELECT won.time_ms, n.* FROM ", events.from, "), ");
      events.from = "incoming n";
    }
    events.columns.emplace_back("time_ms", Has(kOneRow) ? "won.time_ms" : "n.time_ms");
    return events;
  }
  // `n`, where the event has `flag`. A single one has it, or the part would not be there.
  std::string From(const Source& n, EventFlag flag) const {
    return Has(kOneRow) ? n.from : absl::StrCat(n.from, " WHERE ", n.Has(flag));
  }

  void MakeSpaces(const Source& n) {
    Add("new_spaces AS (INSERT INTO spaces(log_id, space_id, name) SELECT ", n["log_id"], ", ",
        n["space_id"], ", ", n["name"], " FROM ", n.from, "), ");
  }

  void MakeStreams(const Source& n) {
    const bool grown = Has(kGrownStreams);
    Add("new_streams AS (INSERT INTO streams(log_id, stream_id, space_id, first_position, "
        "first_seq, head_revision, last_seq, last_position, head_event_id, kind, tombstone, name) "
        "SELECT ",
        n["log_id"], ", ", n["stream_id"], ", ", n["space_id"], ", ",
        n[grown ? "first_position" : "position"], ", ", n[grown ? "first_seq" : "seq"], ", ",
        n["revision"], ", ", n["seq"], ", ", n["position"], ", ", n["event_id"], ", ", n["kind"],
        ", ", n.Has(kTombstone), ", ", n["name"], " FROM ", From(n, kMakesStream), "), ");
  }

  void MoveStreams(const Source& n) {
    Add("moved AS (UPDATE streams s SET head_revision = ", n["revision"], ", last_seq = ", n["seq"],
        ", last_position = ", n["position"], ", head_event_id = ", n["event_id"],
        ", tombstone = ", n.Has(kTombstone), " FROM ", From(n, kMovesStream),
        Has(kOneRow) ? " WHERE" : " AND", " s.log_id = ", n["log_id"],
        " AND s.stream_id = ", n["stream_id"], " RETURNING 1), ");
  }

  void RememberOperations(const Source& n) {
    Add("new_operations AS (INSERT INTO operation_keys"
        "(log_id, space_id, op_key, request_hash, position, time_ms) SELECT ",
        n["log_id"], ", ", n["space_id"], ", ", n["op_key"], ", ", n["request_hash"], ", ",
        n["position"], ", ", n["time_ms"], " FROM ", From(n, kRemembersOperation), "), ");
  }

  void AddEvents(const Source& n) {
    Add("new_events AS (INSERT INTO events(log_id, position, space_id, seq, stream_id, revision, "
        "event_id, time_ms, tombstone, codec, bytes, meta, data) SELECT ",
        n["log_id"], ", ", n["position"], ", ", n["space_id"], ", ", n["seq"], ", ", n["stream_id"],
        ", ", n["revision"], ", ", n["event_id"], ", ", n["time_ms"], ", ", n.Has(kTombstone), ", ",
        n.Has(kCompressed), "::int::int2, ", n["bytes"], ", ", n["meta"], ", ", n["data"], " FROM ",
        n.from, " RETURNING log_id)");
  }

  void Count() {
    const absl::string_view moved = Has(kKnownStreams) ? "(SELECT count(*) FROM moved)" : "0";
    if (Has(kOneRow)) {
      Add(" SELECT log_id, 1, ", moved, " FROM new_events");
    } else {
      Add(", written AS MATERIALIZED (SELECT (SELECT count(*) FROM new_events) AS events, ", moved,
          " AS streams");
      if (Has(kNamed)) {
        // Of all logs that were given: where none is wanted, none has won, and this may be looked
        // at all the same, as the planner joins.
        Add(", CASE WHEN (SELECT count(*) FROM won) = cardinality($3::int4[]) "
            "THEN set_config('bdcsync.commit', $2::text, false) END AS name");
      }
      Add(") SELECT won.log_id, written.events, written.streams", Has(kNamed) ? ", name" : "",
          " FROM won, written");
    }
  }

  const uint32_t parts_;
  std::string text_;
  int parameters_ = 0;
};

// One statement for each set of parts, made when it is first used.
class Statements {
 public:
  const sql::PostgresStatement& operator[](uint32_t parts) {
    Entry& entry = entries_[parts];
    absl::call_once(entry.made, [&] {
      entry.name = absl::StrCat("commit_", parts);
      entry.text = Text(parts).Take();
      entry.statement = {entry.name.c_str(), entry.text.c_str()};
    });
    return entry.statement;
  }

 private:
  struct Entry {
    absl::once_flag made;
    std::string name;
    std::string text;
    sql::PostgresStatement statement{};
  };
  std::array<Entry, kAllCommitParts + 1> entries_;
};

}  // namespace

const sql::PostgresStatement& CommitStatement(uint32_t parts) {
  static Statements& statements = *new Statements;
  return statements[parts & kAllCommitParts];
}

}  // namespace bdcsync::event_store
