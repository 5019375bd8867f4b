#include "services/event-store/storage/postgres_commit_statement.h"

#include <array>
#include <string>
#include <utility>

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
constexpr Column kNewSpaceColumns[] = {{"log_id", "int4"}, {"space_id", "int8"}, {"name", "text"}};
constexpr Column kNewStreamColumns[] = {
    {"log_id", "int4"},         {"stream_id", "uuid"},     {"space_id", "int8"},
    {"first_position", "int8"}, {"first_seq", "int8"},     {"head_revision", "int8"},
    {"last_seq", "int8"},       {"last_position", "int8"}, {"head_event_id", "int8"},
    {"kind", "int2"},           {"tombstone", "bool"},     {"name", "text"}};
constexpr Column kKnownStreamColumns[] = {{"log_id", "int4"},        {"stream_id", "uuid"},
                                          {"head_revision", "int8"}, {"last_seq", "int8"},
                                          {"last_position", "int8"}, {"head_event_id", "int8"},
                                          {"tombstone", "bool"}};
constexpr Column kOperationColumns[] = {{"log_id", "int4"},
                                        {"space_id", "int8"},
                                        {"op_key", "uuid"},
                                        {"request_hash", "int8"},
                                        {"position", "int8"}};
constexpr Column kEventColumns[] = {
    {"log_id", "int4"},    {"position", "int8"}, {"space_id", "int8"}, {"seq", "int8"},
    {"stream_id", "uuid"}, {"revision", "int8"}, {"event_id", "int8"}, {"tombstone", "bool"},
    {"codec", "int2"},     {"bytes", "int4"},    {"meta", "bytea"},    {"data", "bytea"}};

// Writes the statement and counts its parameters.
class Text {
 public:
  explicit Text(uint32_t parts) : one_row_((parts & kOneRow) != 0) {
    Add("WITH wanted AS MATERIALIZED (SELECT * FROM ", Rows(kLogColumns, "w"), "), ");
    if ((parts & kSeveralLogs) != 0) {
      Add("locked AS MATERIALIZED (SELECT h.log_id FROM log_heads h JOIN wanted w USING (log_id) "
          "WHERE h.epoch = w.epoch AND h.next_position = w.position "
          "ORDER BY h.log_id FOR UPDATE OF h), ");
    }
    Add("won AS MATERIALIZED (UPDATE log_heads h SET next_position = w.next_position, "
        "next_space_id = w.next_space_id, last_time_ms = w.time_ms FROM wanted w ",
        (parts & kSeveralLogs) != 0 ? "JOIN locked USING (log_id) " : "",
        "WHERE h.log_id = w.log_id AND h.epoch = w.epoch AND h.next_position = w.position "
        "RETURNING h.log_id, w.time_ms), ");
    if ((parts & kNewSpaces) != 0) Insert("spaces", kNewSpaceColumns);
    if ((parts & kNewStreams) != 0) Insert("streams", kNewStreamColumns);
    if ((parts & kKnownStreams) != 0) MoveStreams();
    if ((parts & kOperations) != 0) Insert("operation_keys", kOperationColumns, ", time_ms");
    Insert("events", kEventColumns, ", time_ms", " RETURNING 1");
    Add("written AS (SELECT (SELECT count(*) FROM new_events) AS events, ",
        (parts & kKnownStreams) != 0 ? "(SELECT count(*) FROM moved)" : "0", " AS streams) ");
    Add("SELECT won.log_id, written.events, written.streams FROM won, written");
  }
  std::string Take() && { return std::move(text_); }

 private:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    absl::StrAppend(&text_, parts...);
  }

  static std::string Names(Columns columns, absl::string_view prefix) {
    std::string names;
    for (const Column& column : columns) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", prefix, column.name);
    }
    return names;
  }

  // The next parameters as rows with the alias `as`.
  std::string Rows(Columns columns, absl::string_view as) {
    std::string values;
    for (const Column& column : columns) {
      absl::StrAppend(&values, values.empty() ? "" : ", ", "$", ++parameters_, "::", column.type,
                      one_row_ ? "" : "[]");
    }
    return absl::StrCat(one_row_ ? "(VALUES (" : "unnest(", values, one_row_ ? ")) " : ") ", as,
                        "(", Names(columns, ""), ")");
  }

  // Rows of the logs that won; `of_log` are further columns, whose values are those of the log.
  void Insert(absl::string_view table, Columns columns, absl::string_view of_log = "",
              absl::string_view returning = "") {
    Add("new_", table, " AS (INSERT INTO ", table, "(", Names(columns, ""), of_log, ") SELECT ",
        Names(columns, "n."), of_log, " FROM ", Rows(columns, "n"), " JOIN won USING (log_id)",
        returning, "), ");
  }

  void MoveStreams() {
    Add("moved AS (UPDATE streams s SET head_revision = n.head_revision, last_seq = n.last_seq, "
        "last_position = n.last_position, head_event_id = n.head_event_id, "
        "tombstone = n.tombstone FROM ",
        Rows(kKnownStreamColumns, "n"),
        " JOIN won USING (log_id) WHERE s.log_id = n.log_id AND s.stream_id = n.stream_id "
        "RETURNING 1), ");
  }

  const bool one_row_;
  std::string text_;
  int parameters_ = 0;
};

// One statement for each set of parts.
class Statements {
 public:
  Statements() {
    for (uint32_t parts = 0; parts <= kAllCommitParts; ++parts) {
      names_[parts] = absl::StrCat("commit_", parts);
      texts_[parts] = Text(parts).Take();
      statements_[parts] = {names_[parts].c_str(), texts_[parts].c_str()};
    }
  }
  const sql::PostgresStatement& operator[](uint32_t parts) const { return statements_[parts]; }

 private:
  std::array<std::string, kAllCommitParts + 1> names_;
  std::array<std::string, kAllCommitParts + 1> texts_;
  std::array<sql::PostgresStatement, kAllCommitParts + 1> statements_{};
};

}  // namespace

const sql::PostgresStatement& CommitStatement(uint32_t parts) {
  static const Statements& statements = *new Statements;
  return statements[parts & kAllCommitParts];
}

}  // namespace bdcsync::event_store
