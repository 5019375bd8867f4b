// The writes of the event store over one SQLite connection, on prepared statements. One thread at a
// time.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/sql/sqlite.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/storage/data_codec.h"

namespace bdcsync::event_store {

class SqliteWriter {
 public:
  // `database` is borrowed, and its schema is up to date.
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Create(sql::SqliteDatabase& database);

  // Makes the store's rows, or checks that they say the same as `options`. Returns how many logs
  // there are.
  absl::StatusOr<uint32_t> OpenStore(const EventStorageOptions& options,
                                     absl::FunctionRef<uint64_t()> make_epoch);
  // Writes the parts in the transaction that is open; tells for each whether it was applied. After
  // an error some of it may have been done: the caller rolls back.
  absl::StatusOr<std::vector<bool>> Apply(absl::Span<const LogWrite> writes);
  absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch);
  absl::Status PutSnapshot(const StreamName& stream, int64_t revision, absl::string_view data);
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max);

 private:
  explicit SqliteWriter(sql::SqliteDatabase& database) : database_(database) {}
  absl::Status Prepare();
  absl::StatusOr<bool> MoveHead(const LogWrite& write);
  absl::Status WriteStreams(const LogWrite& write);
  absl::Status AddStream(const LogWrite& write, const LogWrite::Stream& stream);
  absl::Status MoveStream(const LogWrite& write, const LogWrite::Stream& stream);
  absl::Status WriteEvents(const LogWrite& write);
  struct OperationRows {
    int64_t count = 0;
    int64_t last = 0;
    int64_t old = 0;
    int64_t earliest_ms = std::numeric_limits<int64_t>::max();  // Of those that are not old.
  };
  absl::StatusOr<OperationRows> LookAtOperations(int64_t before_ms, int64_t after,
                                                 int64_t rows_max);

  sql::SqliteDatabase& database_;
  DataCodec codec_;
  sql::SqliteStatement move_head_;
  sql::SqliteStatement add_space_;
  sql::SqliteStatement add_stream_;
  sql::SqliteStatement move_stream_;
  sql::SqliteStatement add_event_;
  sql::SqliteStatement add_operation_;
  sql::SqliteStatement replace_epoch_;
  sql::SqliteStatement put_snapshot_;
  sql::SqliteStatement look_at_operations_;
  sql::SqliteStatement forget_operations_;
  int64_t young_number_ = 0;  // Of the rows up to here none is old before this time.
  int64_t young_until_ms_ = std::numeric_limits<int64_t>::max();
};

}  // namespace bdcsync::event_store
