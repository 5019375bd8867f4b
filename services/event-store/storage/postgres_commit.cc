#include "services/event-store/storage/postgres_commit.h"

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace bdcsync::event_store {
namespace {

using sql::PostgresArray;
using sql::PostgresParams;

// The columns of one table, in the order of the statement. Add writes one row.
class Columns {
 public:
  explicit Columns(std::initializer_list<PostgresArray::Type> types) {
    arrays_.reserve(types.size());
    for (const PostgresArray::Type type : types) arrays_.emplace_back(type);
  }
  PostgresArray& operator[](std::size_t column) { return arrays_[column]; }
  void AppendTo(PostgresParams& params) && {
    for (PostgresArray& array : arrays_) params.Add(std::move(array));
  }

 private:
  std::vector<PostgresArray> arrays_;
};

constexpr auto kInt16 = PostgresArray::kInt16;
constexpr auto kInt32 = PostgresArray::kInt32;
constexpr auto kInt64 = PostgresArray::kInt64;
constexpr auto kBool = PostgresArray::kBool;
constexpr auto kText = PostgresArray::kText;
constexpr auto kBytes = PostgresArray::kBytes;
constexpr auto kUuid = PostgresArray::kUuid;

void AddLogs(absl::Span<const LogWrite> writes, PostgresParams& params) {
  Columns logs{kInt32, kInt64, kInt64, kInt64, kInt64, kInt64};
  for (const LogWrite& write : writes) {
    logs[0].AddInt32(static_cast<int32_t>(write.log_id));
    logs[1].AddInt64(static_cast<int64_t>(write.epoch));
    logs[2].AddInt64(write.position);
    logs[3].AddInt64(write.next_position);
    logs[4].AddInt64(write.next_space_id);
    logs[5].AddInt64(write.time_ms);
  }
  std::move(logs).AppendTo(params);
}

void AddNames(absl::Span<const LogWrite> writes, PostgresParams& params) {
  Columns spaces{kInt32, kInt64, kInt64, kText};
  Columns streams{kInt32, kInt64, kInt64, kInt64, kInt16, kText};
  for (const LogWrite& write : writes) {
    const auto log_id = static_cast<int32_t>(write.log_id);
    for (const LogWrite::Space& space : write.spaces) {
      spaces[0].AddInt32(log_id);
      spaces[1].AddInt64(space.space_id);
      spaces[2].AddInt64(space.seq);
      spaces[3].AddBytes(space.name);
    }
    for (const LogWrite::Stream& stream : write.streams) {
      streams[0].AddInt32(log_id);
      streams[1].AddInt64(stream.stream_id);
      streams[2].AddInt64(stream.space_id);
      streams[3].AddInt64(stream.first_seq);
      streams[4].AddInt16(static_cast<int16_t>(stream.kind));
      streams[5].AddBytes(stream.name);
    }
  }
  std::move(spaces).AppendTo(params);
  std::move(streams).AppendTo(params);
}

void AddHeads(absl::Span<const LogWrite> writes, PostgresParams& params) {
  Columns heads{kInt32, kInt64, kInt64, kInt64, kInt64, kInt64, kInt64, kBool};
  for (const LogWrite& write : writes) {
    for (const LogWrite::Head& head : write.heads) {
      heads[0].AddInt32(static_cast<int32_t>(write.log_id));
      heads[1].AddInt64(head.stream_id);
      heads[2].AddInt64(head.space_id);
      heads[3].AddInt64(head.revision);
      heads[4].AddInt64(head.seq);
      heads[5].AddInt64(head.position);
      heads[6].AddInt64(static_cast<int64_t>(head.event_id));
      heads[7].AddBool(head.tombstone);
    }
  }
  std::move(heads).AppendTo(params);
}

void AddEvents(absl::Span<const LogWrite> writes, DataCodec& codec, PostgresParams& params) {
  Columns events{kInt32, kInt64, kInt64, kInt64, kInt64, kInt64, kInt64,
                 kInt64, kBool,  kInt16, kInt32, kBytes, kBytes};
  std::size_t count = 0;
  std::size_t meta_bytes = 0;
  std::size_t data_bytes = 0;
  for (const LogWrite& write : writes) {
    count += write.events.size();
    for (const LogWrite::Event& event : write.events) {
      meta_bytes += event.meta.size();
      data_bytes += event.data.size();
    }
  }
  if (count > 0) {
    events[11].Reserve(count, meta_bytes / count + 1);
    events[12].Reserve(count, data_bytes / count + 1);
  }
  for (const LogWrite& write : writes) {
    for (const LogWrite::Event& event : write.events) {
      const DataCodec::Encoded data = codec.Encode(event.data);
      events[0].AddInt32(static_cast<int32_t>(write.log_id));
      events[1].AddInt64(event.position);
      events[2].AddInt64(event.space_id);
      events[3].AddInt64(event.seq);
      events[4].AddInt64(event.stream_id);
      events[5].AddInt64(event.revision);
      events[6].AddInt64(static_cast<int64_t>(event.event_id));
      events[7].AddInt64(write.time_ms);
      events[8].AddBool(event.tombstone);
      events[9].AddInt16(static_cast<int16_t>(data.codec));
      events[10].AddInt32(static_cast<int32_t>(event.meta.size() + event.data.size()));
      events[11].AddBytes(event.meta);
      events[12].AddBytes(data.bytes);
    }
  }
  std::move(events).AppendTo(params);
}

void AddOperations(absl::Span<const LogWrite> writes, PostgresParams& params) {
  Columns operations{kInt32, kInt64, kUuid, kInt64, kInt64, kInt64};
  for (const LogWrite& write : writes) {
    for (const LogWrite::Operation& operation : write.operations) {
      operations[0].AddInt32(static_cast<int32_t>(write.log_id));
      operations[1].AddInt64(operation.space_id);
      operations[2].AddBytes(absl::string_view(operation.key.data(), operation.key.size()));
      operations[3].AddInt64(static_cast<int64_t>(operation.request_hash));
      operations[4].AddInt64(operation.position);
      operations[5].AddInt64(write.time_ms);
    }
  }
  std::move(operations).AppendTo(params);
}

}  // namespace

PostgresParams CommitParams(absl::Span<const LogWrite> writes, DataCodec& codec) {
  PostgresParams params;
  AddLogs(writes, params);
  AddNames(writes, params);
  AddHeads(writes, params);
  AddEvents(writes, codec, params);
  AddOperations(writes, params);
  return params;
}

absl::StatusOr<std::vector<bool>> CommitResult(absl::Span<const LogWrite> writes,
                                               const sql::PostgresResult& rows) {
  absl::flat_hash_set<int64_t> won;
  for (int row = 0; row < rows.size(); ++row) won.insert(rows.Int64(row, 0));
  std::vector<bool> applied;
  applied.reserve(writes.size());
  int64_t events = 0;
  for (const LogWrite& write : writes) {
    applied.push_back(won.contains(write.log_id));
    if (applied.back()) events += static_cast<int64_t>(write.events.size());
  }
  const int64_t inserted = rows.size() == 0 ? 0 : rows.Int64(0, 1);
  if (inserted != events) {
    return absl::InternalError(absl::StrCat("a commit of ", events, " events stored ", inserted));
  }
  return applied;
}

}  // namespace bdcsync::event_store
