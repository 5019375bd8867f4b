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

constexpr std::size_t kBehindPlace = 0;  // Of the parameters of kNamed.

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

// What a batch has, and how much the events hold.
struct Sizes {
  std::size_t new_spaces = 0;
  std::size_t events = 0;
  std::size_t operations = 0;
  std::size_t meta_bytes = 0;
  std::size_t data_bytes = 0;
  bool new_streams = false;
  bool grown_streams = false;
  bool known_streams = false;
};

Sizes SizesOf(absl::Span<const LogWrite> writes) {
  Sizes sizes;
  for (const LogWrite& write : writes) {
    sizes.new_spaces += write.spaces.size();
    sizes.events += write.events.size();
    sizes.operations += write.operations.size();
    for (const LogWrite::Stream& stream : write.streams) {
      (stream.is_new ? sizes.new_streams : sizes.known_streams) = true;
      if (stream.is_new && stream.state.first_position != stream.state.position) {
        sizes.grown_streams = true;
      }
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
  if (sizes.new_streams) parts |= kNewStreams;
  if (sizes.grown_streams) parts |= kGrownStreams;
  if (sizes.known_streams) parts |= kKnownStreams;
  if (sizes.operations > 0) parts |= kOperations;
  if (logs == 1 && sizes.events == 1 && sizes.new_spaces <= 1) parts |= kOneRow;
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

// The rows of the events, and in them what is written of streams and operations.
class Events {
 public:
  Events(const Sizes& sizes, uint32_t parts, DataCodec& codec)
      : parts_(parts),
        codec_(codec),
        rows_(sizes.events,
              {kInt32, kInt64, kInt64, kInt64, kUuid, kInt64, kInt64, kInt16, kInt32}),
        new_streams_(sizes.events, {kInt16, kText}),
        grown_streams_(sizes.events, {kInt64, kInt64}),
        operations_(sizes.events, {kUuid, kInt64}),
        payload_(sizes.events, {kBytes, kBytes}) {
    const std::size_t events = std::max<std::size_t>(sizes.events, 1);
    payload_[0].Reserve(sizes.events, sizes.meta_bytes / events + 1);
    payload_[1].Reserve(sizes.events, sizes.data_bytes / events + 1);
  }

  // False if a stream or an operation is not of one of the events, in their order.
  bool Add(const LogWrite& write) {
    auto stream = write.streams.begin();
    auto operation = write.operations.begin();
    for (const LogWrite::Event& event : write.events) {
      const bool is_head =
          stream != write.streams.end() && stream->state.position == event.position;
      const bool is_operation =
          operation != write.operations.end() && operation->position == event.position;
      Add(static_cast<int32_t>(write.log_id), event, is_head ? &*stream : nullptr,
          is_operation ? &*operation : nullptr);
      if (is_head) ++stream;
      if (is_operation) ++operation;
    }
    return stream == write.streams.end() && operation == write.operations.end();
  }

  void AppendTo(Parameters& parameters) && {
    std::move(rows_).AppendTo(parameters);
    if ((parts_ & kNewStreams) != 0) std::move(new_streams_).AppendTo(parameters);
    if ((parts_ & kGrownStreams) != 0) std::move(grown_streams_).AppendTo(parameters);
    if ((parts_ & kOperations) != 0) std::move(operations_).AppendTo(parameters);
    std::move(payload_).AppendTo(parameters);
  }

 private:
  void Add(int32_t log_id, const LogWrite::Event& event, const LogWrite::Stream* stream,
           const LogWrite::Operation* operation) {
    const DataCodec::Encoded data = codec_.Encode(event.data);
    int16_t flags = 0;
    if (event.tombstone) flags |= kTombstone;
    if (data.codec == Codec::kZstd) flags |= kCompressed;
    if (stream != nullptr) flags |= stream->is_new ? kMakesStream : kMovesStream;
    if (operation != nullptr) flags |= kRemembersOperation;
    rows_[0].AddInt32(log_id);
    rows_[1].AddInt64(event.position);
    rows_[2].AddInt64(event.space_id);
    rows_[3].AddInt64(event.seq);
    rows_[4].AddBytes(ViewOf(event.stream_id));
    rows_[5].AddInt64(event.revision);
    rows_[6].AddInt64(static_cast<int64_t>(event.event_id));
    rows_[7].AddInt16(flags);
    rows_[8].AddInt32(static_cast<int32_t>(event.meta.size() + event.data.size()));
    payload_[0].AddBytes(event.meta);
    payload_[1].AddBytes(data.bytes);
    const LogWrite::Stream* made = (flags & kMakesStream) != 0 ? stream : nullptr;
    if ((parts_ & kNewStreams) != 0) {
      new_streams_[0].AddInt16(made == nullptr ? int16_t{0}
                                               : static_cast<int16_t>(made->state.kind));
      new_streams_[1].AddBytes(made == nullptr ? absl::string_view() : made->name);
    }
    if ((parts_ & kGrownStreams) != 0) {
      grown_streams_[0].AddInt64(made == nullptr ? 0 : made->state.first_position);
      grown_streams_[1].AddInt64(made == nullptr ? 0 : made->state.first_seq);
    }
    if ((parts_ & kOperations) != 0) {
      static constexpr OperationKey kNone{};
      operations_[0].AddBytes(ViewOf(operation == nullptr ? kNone : operation->key));
      operations_[1].AddInt64(operation == nullptr ? 0
                                                   : static_cast<int64_t>(operation->request_hash));
    }
  }

  const uint32_t parts_;
  DataCodec& codec_;
  Columns rows_;
  Columns new_streams_;
  Columns grown_streams_;
  Columns operations_;
  Columns payload_;
};

}  // namespace

PostgresCommit MakeCommit(absl::Span<const LogWrite> writes, DataCodec& codec,
                          absl::string_view name) {
  const Sizes sizes = SizesOf(writes);
  uint32_t parts = PartsOf(sizes, writes.size());
  const bool named = !name.empty() && (parts & kOneRow) == 0;
  if (named) parts |= kNamed;
  PostgresCommit commit{.statement = CommitStatement(parts), .params = {}, .named = named};
  if (named) commit.params.AddBytes("").AddBytes(name);
  Parameters parameters{commit.params, (parts & kOneRow) != 0};
  AddLogs(writes, parameters);
  Events events(sizes, parts, codec);
  for (const LogWrite& write : writes) {
    commit.complete = events.Add(write) && commit.complete;
    commit.next_position = std::max(commit.next_position, write.next_position);
  }
  std::move(events).AppendTo(parameters);
  if ((parts & kNewSpaces) != 0) AddSpaces(writes, sizes.new_spaces, parameters);
  return commit;
}

absl::Status CheckComplete(const PostgresCommit& commit) {
  if (commit.complete) return absl::OkStatus();
  return absl::InternalError("a write has a stream or an operation that no event of it carries");
}

void SetBehind(PostgresCommit& commit, absl::string_view name) {
  commit.params.SetBytes(kBehindPlace, name);
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
