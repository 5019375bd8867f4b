#include "services/event-store/storage/postgres_commit.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "services/event-store/storage/postgres_commit_statement.h"

namespace bdcsync::event_store {
namespace {

using sql::PostgresArray;
using sql::PostgresParams;

struct Parameters {
  PostgresParams& params;
  bool one_row;  // As in kOneRow.
};

// The columns of one table, in the order of the statement.
class Columns {
 public:
  Columns(std::size_t rows, std::initializer_list<PostgresArray::Type> types) {
    arrays_.reserve(types.size());
    for (const PostgresArray::Type type : types) {
      arrays_.emplace_back(type).Reserve(rows, kUsualBytes);
    }
  }
  PostgresArray& operator[](std::size_t column) { return arrays_[column]; }
  void AppendTo(Parameters& parameters) && {
    for (PostgresArray& array : arrays_) {
      if (parameters.one_row) {
        parameters.params.AddOnly(std::move(array));
      } else {
        parameters.params.Add(std::move(array));
      }
    }
  }

 private:
  static constexpr std::size_t kUsualBytes = 16;  // Of a value, at most: a uuid.
  std::vector<PostgresArray> arrays_;
};

constexpr auto kInt16 = PostgresArray::kInt16;
constexpr auto kInt32 = PostgresArray::kInt32;
constexpr auto kInt64 = PostgresArray::kInt64;
constexpr auto kBool = PostgresArray::kBool;
constexpr auto kText = PostgresArray::kText;
constexpr auto kBytes = PostgresArray::kBytes;
constexpr auto kUuid = PostgresArray::kUuid;

// How many rows each table gets, and how much the events hold.
struct Sizes {
  std::size_t new_spaces = 0;
  std::size_t new_streams = 0;
  std::size_t known_streams = 0;
  std::size_t operations = 0;
  std::size_t events = 0;
  std::size_t meta_bytes = 0;
  std::size_t data_bytes = 0;
};

Sizes SizesOf(absl::Span<const LogWrite> writes) {
  Sizes sizes;
  for (const LogWrite& write : writes) {
    sizes.new_spaces += write.spaces.size();
    sizes.operations += write.operations.size();
    sizes.events += write.events.size();
    for (const LogWrite::Stream& stream : write.streams) {
      ++(stream.is_new ? sizes.new_streams : sizes.known_streams);
    }
    for (const LogWrite::Event& event : write.events) {
      sizes.meta_bytes += event.meta.size();
      sizes.data_bytes += event.data.size();
    }
  }
  return sizes;
}

uint32_t PartsOf(const Sizes& sizes, std::size_t logs) {
  uint32_t parts = 0;
  if (logs > 1) parts |= kSeveralLogs;
  if (sizes.new_spaces > 0) parts |= kNewSpaces;
  if (sizes.new_streams > 0) parts |= kNewStreams;
  if (sizes.known_streams > 0) parts |= kKnownStreams;
  if (sizes.operations > 0) parts |= kOperations;
  const std::size_t rows_max = std::max({logs, sizes.new_spaces, sizes.new_streams,
                                         sizes.known_streams, sizes.operations, sizes.events});
  if (rows_max == 1 && sizes.events == 1) parts |= kOneRow;
  return parts;
}

void AddLogs(absl::Span<const LogWrite> writes, Parameters& parameters) {
  Columns logs(writes.size(), {kInt32, kInt64, kInt64, kInt64, kInt64, kInt64});
  for (const LogWrite& write : writes) {
    logs[0].AddInt32(static_cast<int32_t>(write.log_id));
    logs[1].AddInt64(static_cast<int64_t>(write.epoch));
    logs[2].AddInt64(write.position);
    logs[3].AddInt64(write.next_position);
    logs[4].AddInt64(write.next_space_id);
    logs[5].AddInt64(write.time_ms);
  }
  std::move(logs).AppendTo(parameters);
}

void AddSpaces(absl::Span<const LogWrite> writes, std::size_t count, Parameters& parameters) {
  Columns spaces(count, {kInt32, kInt64, kText});
  for (const LogWrite& write : writes) {
    for (const LogWrite::Space& space : write.spaces) {
      spaces[0].AddInt32(static_cast<int32_t>(write.log_id));
      spaces[1].AddInt64(space.space_id);
      spaces[2].AddBytes(space.name);
    }
  }
  std::move(spaces).AppendTo(parameters);
}

void AddNewStreams(absl::Span<const LogWrite> writes, std::size_t count, Parameters& parameters) {
  Columns rows(count, {kInt32, kUuid, kInt64, kInt64, kInt64, kInt64, kInt64, kInt64, kInt64,
                       kInt16, kBool, kText});
  for (const LogWrite& write : writes) {
    for (const LogWrite::Stream& stream : write.streams) {
      if (!stream.is_new) continue;
      rows[0].AddInt32(static_cast<int32_t>(write.log_id));
      rows[1].AddBytes(ViewOf(stream.stream_id));
      rows[2].AddInt64(stream.space_id);
      rows[3].AddInt64(stream.state.first_position);
      rows[4].AddInt64(stream.state.first_seq);
      rows[5].AddInt64(stream.state.revision);
      rows[6].AddInt64(stream.seq);
      rows[7].AddInt64(stream.state.position);
      rows[8].AddInt64(static_cast<int64_t>(stream.state.event_id));
      rows[9].AddInt16(static_cast<int16_t>(stream.state.kind));
      rows[10].AddBool(stream.tombstone);
      rows[11].AddBytes(stream.name);
    }
  }
  std::move(rows).AppendTo(parameters);
}

void AddKnownStreams(absl::Span<const LogWrite> writes, std::size_t count, Parameters& parameters) {
  Columns rows(count, {kInt32, kUuid, kInt64, kInt64, kInt64, kInt64, kBool});
  for (const LogWrite& write : writes) {
    for (const LogWrite::Stream& stream : write.streams) {
      if (stream.is_new) continue;
      rows[0].AddInt32(static_cast<int32_t>(write.log_id));
      rows[1].AddBytes(ViewOf(stream.stream_id));
      rows[2].AddInt64(stream.state.revision);
      rows[3].AddInt64(stream.seq);
      rows[4].AddInt64(stream.state.position);
      rows[5].AddInt64(static_cast<int64_t>(stream.state.event_id));
      rows[6].AddBool(stream.tombstone);
    }
  }
  std::move(rows).AppendTo(parameters);
}

void AddOperations(absl::Span<const LogWrite> writes, std::size_t count, Parameters& parameters) {
  Columns rows(count, {kInt32, kInt64, kUuid, kInt64, kInt64});
  for (const LogWrite& write : writes) {
    for (const LogWrite::Operation& operation : write.operations) {
      rows[0].AddInt32(static_cast<int32_t>(write.log_id));
      rows[1].AddInt64(operation.space_id);
      rows[2].AddBytes(ViewOf(operation.key));
      rows[3].AddInt64(static_cast<int64_t>(operation.request_hash));
      rows[4].AddInt64(operation.position);
    }
  }
  std::move(rows).AppendTo(parameters);
}

void AddEvents(absl::Span<const LogWrite> writes, const Sizes& sizes, DataCodec& codec,
               Parameters& parameters) {
  Columns rows(sizes.events, {kInt32, kInt64, kInt64, kInt64, kUuid, kInt64, kInt64, kBool, kInt16,
                              kInt32, kBytes, kBytes});
  rows[10].Reserve(sizes.events, sizes.meta_bytes / std::max<std::size_t>(sizes.events, 1) + 1);
  rows[11].Reserve(sizes.events, sizes.data_bytes / std::max<std::size_t>(sizes.events, 1) + 1);
  for (const LogWrite& write : writes) {
    for (const LogWrite::Event& event : write.events) {
      const DataCodec::Encoded data = codec.Encode(event.data);
      rows[0].AddInt32(static_cast<int32_t>(write.log_id));
      rows[1].AddInt64(event.position);
      rows[2].AddInt64(event.space_id);
      rows[3].AddInt64(event.seq);
      rows[4].AddBytes(ViewOf(event.stream_id));
      rows[5].AddInt64(event.revision);
      rows[6].AddInt64(static_cast<int64_t>(event.event_id));
      rows[7].AddBool(event.tombstone);
      rows[8].AddInt16(static_cast<int16_t>(data.codec));
      rows[9].AddInt32(static_cast<int32_t>(event.meta.size() + event.data.size()));
      rows[10].AddBytes(event.meta);
      rows[11].AddBytes(data.bytes);
    }
  }
  std::move(rows).AppendTo(parameters);
}

}  // namespace

PostgresCommit MakeCommit(absl::Span<const LogWrite> writes, DataCodec& codec) {
  const Sizes sizes = SizesOf(writes);
  const uint32_t parts = PartsOf(sizes, writes.size());
  PostgresCommit commit{CommitStatement(parts), {}};
  Parameters parameters{commit.params, (parts & kOneRow) != 0};
  AddLogs(writes, parameters);
  if ((parts & kNewSpaces) != 0) AddSpaces(writes, sizes.new_spaces, parameters);
  if ((parts & kNewStreams) != 0) AddNewStreams(writes, sizes.new_streams, parameters);
  if ((parts & kKnownStreams) != 0) AddKnownStreams(writes, sizes.known_streams, parameters);
  if ((parts & kOperations) != 0) AddOperations(writes, sizes.operations, parameters);
  AddEvents(writes, sizes, codec, parameters);
  return commit;
}

absl::StatusOr<std::vector<bool>> CommitResult(absl::Span<const LogWrite> writes,
                                               const sql::PostgresResult& rows) {
  absl::flat_hash_set<int64_t> won;
  for (int row = 0; row < rows.size(); ++row) won.insert(rows.Int64(row, 0));
  std::vector<bool> applied;
  applied.reserve(writes.size());
  int64_t events = 0;
  int64_t known_streams = 0;
  for (const LogWrite& write : writes) {
    applied.push_back(won.contains(write.log_id));
    if (!applied.back()) continue;
    events += static_cast<int64_t>(write.events.size());
    for (const LogWrite::Stream& stream : write.streams) known_streams += stream.is_new ? 0 : 1;
  }
  if (rows.size() == 0) return applied;
  if (rows.Int64(0, 1) != events || rows.Int64(0, 2) != known_streams) {
    return absl::InternalError(absl::StrCat("a commit of ", events, " events and ", known_streams,
                                            " known streams stored ", rows.Int64(0, 1), " and ",
                                            rows.Int64(0, 2)));
  }
  return applied;
}

}  // namespace bdcsync::event_store
