#include "services/conflict/storage/sqlite_record_writer.h"

#include <string>

#include "libs/base/status.h"
#include "libs/sql/sqlite_use.h"
#include "services/conflict/counted_places.h"
#include "services/conflict/storage/desk_rows.h"
#include "services/conflict/storage/sqlite_desk_statements.h"
#include "services/conflict/storage/sqlite_statements.h"

namespace bdcsync::conflict {
namespace {

absl::Status RunPutConflict(sql::SqliteStatement& put, const v1::Conflict& conflict,
                            int64_t verified_ms) {
  const std::string data = conflict.SerializeAsString();
  const CountedPlaces places = CountPlaces(conflict);
  const sql::SqliteUse use(put);
  put.BindText(1, conflict.conflict_id());
  put.BindText(2, conflict.entity().space());
  put.BindText(3, conflict.entity().entity_type());
  put.BindText(4, conflict.entity().entity_id());
  put.BindInt64(5, conflict.state());
  put.BindText(6, conflict.device_id());
  put.BindText(7, conflict.app_version());
  put.BindInt64(8, conflict.opened_ms());
  put.BindInt64(9, conflict.deadline_ms());
  put.BindInt64(10, conflict.closed_ms());
  put.BindInt64(11, verified_ms);
  put.BindText(12, places.json);
  put.BindBlob(13, data);
  put.BindText(14, conflict.assigned_to());
  return put.Run();
}

}  // namespace

absl::Status SqliteRecordWriter::Prepare(sql::SqliteDatabase& database) {
  ASSIGN_OR_RETURN(put_, database.Prepare(sqlite::kPut));
  ASSIGN_OR_RETURN(closing_, database.Prepare(sqlite::kClosing));
  ASSIGN_OR_RETURN(drop_record_, database.Prepare(sqlite::kDropRecord));
  ASSIGN_OR_RETURN(open_, database.Prepare(sqlite::kOpenConflict));
  ASSIGN_OR_RETURN(hold_, database.Prepare(sqlite::kHoldConflict));
  return absl::OkStatus();
}

absl::Status SqliteRecordWriter::Put(const v1::Resolution& resolution) {
  const std::string decisions = DecisionsOf(resolution);
  const CountedPlaces places = CountPlaces(resolution);
  const sql::SqliteUse use(put_);
  put_.BindText(1, resolution.entity().space());
  put_.BindText(2, resolution.op_id());
  put_.BindText(3, resolution.entity().entity_type());
  put_.BindText(4, resolution.entity().entity_id());
  put_.BindText(5, resolution.entity().branch());
  put_.BindText(6, resolution.base_version_id());
  put_.BindText(7, resolution.theirs_version_id());
  put_.BindText(8, resolution.user_id());
  put_.BindText(9, resolution.device_id());
  put_.BindInt64(10, resolution.time_ms());
  put_.BindBlob(11, decisions);
  put_.BindText(12, resolution.app_version());
  put_.BindInt64(13, resolution.rule_set_version());
  put_.BindText(14, resolution.conflict_id());
  put_.BindInt64(15, places.automatic);
  put_.BindText(16, places.json);
  return put_.Run();
}

absl::Status SqliteRecordWriter::PutClosing(v1::Resolution closing) {
  {
    const sql::SqliteUse use(closing_);
    closing_.BindText(1, closing.entity().space());
    closing_.BindText(2, closing.op_id());
    ASSIGN_OR_RETURN(const bool found, closing_.Step());
    if (found && !CompleteClosing(closing_.Text(0), closing_.Blob(1), closing)) {
      return absl::OkStatus();
    }
  }
  return Put(closing);
}

absl::Status SqliteRecordWriter::Open(const v1::Conflict& conflict) {
  {
    const sql::SqliteUse use(drop_record_);
    drop_record_.BindText(1, conflict.entity().space());
    drop_record_.BindText(2, conflict.op_id());
    RETURN_IF_ERROR(drop_record_.Run());
  }
  return RunPutConflict(open_, conflict, conflict.opened_ms());
}

absl::Status SqliteRecordWriter::Hold(const v1::Conflict& conflict, int64_t now_ms) {
  return RunPutConflict(hold_, conflict, now_ms);
}

}  // namespace bdcsync::conflict
