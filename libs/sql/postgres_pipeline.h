// One PostgreSQL connection whose statements follow each other without a pause (libpq's pipeline
// mode): the server begins the next one when it has committed the one before it, whether or not
// anybody has read that one's answer. Each is a transaction of its own, in the order in which they
// were sent, and fails alone. Failures are those of postgres.h. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/sql/connect_backoff.h"
#include "libs/sql/postgres.h"
#include "libs/sql/postgres_params.h"

namespace bdcsync::sql {

class PostgresPipeline {
 public:
  // Connects when something is sent. Of the options, `connections_max` and `acquire_timeout` are
  // the pool's. `clock` is borrowed.
  PostgresPipeline(PostgresOptions options, const Clock& clock);
  // All that was sent has been awaited.
  ~PostgresPipeline();
  PostgresPipeline(const PostgresPipeline&) = delete;
  PostgresPipeline& operator=(const PostgresPipeline&) = delete;

  // Sends `statement` behind those that were sent before; returns its number. Waits only to
  // connect: what the sockets do not hold is written while somebody awaits an answer.
  //   UNAVAILABLE  no connection; the statement may have been applied if there was one
  absl::StatusOr<int64_t> Send(const PostgresStatement& statement, const PostgresParams& params);
  // Waits for the answer; once for each number.
  absl::StatusOr<PostgresResult> Await(int64_t number);

 private:
  class Link;
  // A statement that was sent and what has come back for it so far.
  struct Sent {
    int64_t number = 0;
    std::string prepares;  // The name of the statement, if it is prepared before it runs.
    std::optional<absl::StatusOr<PostgresResult>> answer;
  };

  // Makes a connection if there is none, without the lock.
  absl::Status Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits, without the lock, until the connection has something to read, or room for what is left
  // to write.
  void AwaitLink() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadAnswers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What was sent and has no answer gets none, and the connection is of no use.
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PostgresOptions options_;
  absl::Mutex mutex_;
  std::shared_ptr<Link> link_ ABSL_GUARDED_BY(mutex_);  // Shared with whoever waits for it.
  ConnectBackoff backoff_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> prepared_ ABSL_GUARDED_BY(mutex_);
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Sent> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, absl::StatusOr<PostgresResult>> answers_ ABSL_GUARDED_BY(mutex_);
  bool connecting_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;    // Somebody waits for the connection, for all.
  bool to_write_ ABSL_GUARDED_BY(mutex_) = false;   // What was sent is not written yet.
  bool read_only_ ABSL_GUARDED_BY(mutex_) = false;  // The server refused to write.
};

}  // namespace bdcsync::sql
