#include "services/conflict/storage/postgres_record_params.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "services/conflict/counted_places.h"
#include "services/conflict/storage/desk_rows.h"
#include "services/conflict/storage/postgres_statements.h"

namespace bdcsync::conflict::postgres {
namespace {

std::vector<sql::PostgresArray> TextColumns(int columns) {
  std::vector<sql::PostgresArray> texts;
  texts.reserve(static_cast<size_t>(columns));
  for (int i = 0; i < columns; ++i) texts.emplace_back(sql::PostgresArray::kText);
  return texts;
}

}  // namespace

PutBatch PutBatchOf(absl::Span<const v1::Resolution> resolutions) {
  std::map<std::pair<absl::string_view, absl::string_view>, const v1::Resolution*> batch;
  for (const v1::Resolution& resolution : resolutions) {
    batch[{resolution.entity().space(), resolution.op_id()}] = &resolution;
  }
  constexpr int kTexts = 12;
  std::vector<sql::PostgresArray> texts = TextColumns(kTexts);
  sql::PostgresArray times(sql::PostgresArray::kInt64);
  sql::PostgresArray versions(sql::PostgresArray::kInt64);
  sql::PostgresArray automatic(sql::PostgresArray::kInt64);
  sql::PostgresArray decisions(sql::PostgresArray::kBytes);
  for (const auto& [key, resolution] : batch) {
    const CountedPlaces places = CountPlaces(*resolution);
    const std::string* const columns[kTexts] = {&resolution->entity().space(),
                                                &resolution->op_id(),
                                                &resolution->entity().entity_type(),
                                                &resolution->entity().entity_id(),
                                                &resolution->entity().branch(),
                                                &resolution->base_version_id(),
                                                &resolution->theirs_version_id(),
                                                &resolution->user_id(),
                                                &resolution->device_id(),
                                                &resolution->app_version(),
                                                &resolution->conflict_id(),
                                                &places.json};
    for (int i = 0; i < kTexts; ++i) texts[i].AddBytes(*columns[i]);
    times.AddInt64(resolution->time_ms());
    versions.AddInt64(resolution->rule_set_version());
    automatic.AddInt64(places.automatic);
    decisions.AddBytes(DecisionsOf(*resolution));
  }
  PutBatch put{.rows = static_cast<int>(batch.size())};
  for (sql::PostgresArray& column : texts) put.params.Add(std::move(column));
  put.params.Add(std::move(times)).Add(std::move(versions)).Add(std::move(automatic));
  put.params.Add(std::move(decisions));
  return put;
}

absl::Status PutRecords(sql::PostgresSession& session,
                        absl::Span<const v1::Resolution> resolutions) {
  if (resolutions.empty()) return absl::OkStatus();
  const PutBatch batch = PutBatchOf(resolutions);
  ASSIGN_OR_RETURN(const sql::PostgresResult rows, session.Execute(kPut, batch.params));
  if (rows.affected() == batch.rows) return absl::OkStatus();
  return absl::InternalError("a record of a resolution was not stored");
}

absl::Status PutClosings(sql::PostgresSession& session, absl::Span<const v1::Resolution> closings) {
  std::vector<v1::Resolution> completed;
  for (v1::Resolution closing : closings) {
    sql::PostgresParams key;
    key.AddBytes(closing.entity().space()).AddBytes(closing.op_id());
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, session.Execute(kClosing, key));
    if (rows.size() > 0 && !CompleteClosing(rows.Text(0, 0), rows.Bytes(0, 1), closing)) continue;
    completed.push_back(std::move(closing));
  }
  return PutRecords(session, completed);
}

sql::PostgresParams ConflictParams(absl::Span<const v1::Conflict> conflicts, int64_t verified_ms) {
  std::map<absl::string_view, const v1::Conflict*> batch;
  for (const v1::Conflict& conflict : conflicts) batch[conflict.conflict_id()] = &conflict;
  constexpr int kTexts = 8;
  std::vector<sql::PostgresArray> texts = TextColumns(kTexts);
  sql::PostgresArray states(sql::PostgresArray::kInt16);
  sql::PostgresArray opened(sql::PostgresArray::kInt64);
  sql::PostgresArray deadlines(sql::PostgresArray::kInt64);
  sql::PostgresArray closed(sql::PostgresArray::kInt64);
  sql::PostgresArray verified(sql::PostgresArray::kInt64);
  sql::PostgresArray data(sql::PostgresArray::kBytes);
  for (const auto& [key, conflict] : batch) {
    const CountedPlaces places = CountPlaces(*conflict);
    const std::string* const columns[kTexts] = {&conflict->conflict_id(),
                                                &conflict->entity().space(),
                                                &conflict->entity().entity_type(),
                                                &conflict->entity().entity_id(),
                                                &conflict->device_id(),
                                                &conflict->app_version(),
                                                &places.json,
                                                &conflict->assigned_to()};
    for (int i = 0; i < kTexts; ++i) texts[i].AddBytes(*columns[i]);
    states.AddInt16(static_cast<int16_t>(conflict->state()));
    opened.AddInt64(conflict->opened_ms());
    deadlines.AddInt64(conflict->deadline_ms());
    closed.AddInt64(conflict->closed_ms());
    verified.AddInt64(verified_ms == 0 ? conflict->opened_ms() : verified_ms);
    data.AddBytes(conflict->SerializeAsString());
  }
  sql::PostgresParams params;
  for (sql::PostgresArray& column : texts) params.Add(std::move(column));
  params.Add(std::move(states)).Add(std::move(opened)).Add(std::move(deadlines));
  params.Add(std::move(closed)).Add(std::move(verified)).Add(std::move(data));
  return params;
}

}  // namespace bdcsync::conflict::postgres
