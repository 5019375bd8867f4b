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

std::string Flag(EventFlag flag) { return absl::StrCat("n.flags & ", flag, " <> 0"); }

// Writes the statement and counts its parameters.
class Text {
 public:
  explicit Text(uint32_t parts) : parts_(parts) {
    Add("WITH ");
    WinLogs();
    Add("incoming AS MATERIALIZED (SELECT won.time_ms, n.* FROM ", Rows(EventColumns(), "n"),
        " JOIN won USING (log_id)), ");
    if (Has(kNewSpaces)) {
      Add("new_spaces AS (INSERT INTO spaces(log_id, space_id, name) "
          "SELECT n.log_id, n.space_id, n.name FROM ",
          Rows(ToVector(kNewSpaceColumns), "n"), " JOIN won USING (log_id)), ");
    }
    if (Has(kNewStreams)) MakeStreams();
    if (Has(kKnownStreams)) MoveStreams();
    if (Has(kOperations)) {
      Add("new_operations AS (INSERT INTO operation_keys"
          "(log_id, space_id, op_key, request_hash, position, time_ms) "
          "SELECT n.log_id, n.space_id, n.op_key, n.request_hash, n.position, n.time_ms "
          "FROM incoming n WHERE ",
          Flag(kRemembersOperation), "), ");
    }
    AddEvents();
    Add("written AS (SELECT (SELECT count(*) FROM new_events) AS events, ",
        Has(kKnownStreams) ? "(SELECT count(*) FROM moved)" : "0", " AS streams) ");
    Add("SELECT won.log_id, written.events, written.streams FROM won, written");
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

  // The next parameters as rows with the alias `as`.
  std::string Rows(const std::vector<Column>& columns, absl::string_view as) {
    std::string names, values;
    for (const Column& column : columns) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", column.name);
      absl::StrAppend(&values, values.empty() ? "" : ", ", "$", ++parameters_, "::", column.type,
                      Has(kOneRow) ? "" : "[]");
    }
    return absl::StrCat(Has(kOneRow) ? "(VALUES (" : "unnest(", values, Has(kOneRow) ? ")) " : ") ",
                        as, "(", names, ")");
  }

  void WinLogs() {
    Add("wanted AS MATERIALIZED (SELECT * FROM ", Rows(ToVector(kLogColumns), "w"), "), ");
    if (Has(kSeveralLogs)) {
      Add("locked AS MATERIALIZED (SELECT h.log_id FROM log_heads h JOIN wanted w USING (log_id) "
          "WHERE h.epoch = w.epoch AND h.next_position = w.position "
          "ORDER BY h.log_id FOR UPDATE OF h), ");
    }
    Add("won AS MATERIALIZED (UPDATE log_heads h SET next_position = w.next_position, "
        "next_space_id = w.next_space_id, last_time_ms = w.time_ms FROM wanted w ",
        Has(kSeveralLogs) ? "JOIN locked USING (log_id) " : "",
        "WHERE h.log_id = w.log_id AND h.epoch = w.epoch AND h.next_position = w.position "
        "RETURNING h.log_id, w.time_ms), ");
  }

  void MakeStreams() {
    const absl::string_view first =
        Has(kGrownStreams) ? "n.first_position, n.first_seq, " : "n.position, n.seq, ";
    Add("new_streams AS (INSERT INTO streams(log_id, stream_id, space_id, first_position, "
        "first_seq, head_revision, last_seq, last_position, head_event_id, kind, tombstone, name) "
        "SELECT n.log_id, n.stream_id, n.space_id, ",
        first, "n.revision, n.seq, n.position, n.event_id, n.kind, ", Flag(kTombstone),
        ", n.name FROM incoming n WHERE ", Flag(kMakesStream), "), ");
  }

  void MoveStreams() {
    Add("moved AS (UPDATE streams s SET head_revision = n.revision, last_seq = n.seq, "
        "last_position = n.position, head_event_id = n.event_id, tombstone = ",
        Flag(kTombstone), " FROM incoming n WHERE ", Flag(kMovesStream),
        " AND s.log_id = n.log_id AND s.stream_id = n.stream_id RETURNING 1), ");
  }

  void AddEvents() {
    Add("new_events AS (INSERT INTO events(log_id, position, space_id, seq, stream_id, revision, "
        "event_id, time_ms, tombstone, codec, bytes, meta, data) "
        "SELECT n.log_id, n.position, n.space_id, n.seq, n.stream_id, n.revision, n.event_id, "
        "n.time_ms, ",
        Flag(kTombstone), ", (", Flag(kCompressed),
        ")::int::int2, n.bytes, n.meta, n.data FROM incoming n RETURNING 1), ");
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
