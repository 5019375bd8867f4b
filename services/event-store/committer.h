// Takes appends, checks them, and hands each item to the writer of its log. Logs are dealt out to
// the writers once and for all, so commits of different writers overlap and no log has two in one
// process. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "services/event-store/append_call.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/log_writer.h"

namespace bdcsync::event_store {

// The log that a space is in, for ever.
uint32_t LogOfSpace(absl::string_view space, uint32_t log_count);

struct CommitterOptions {
  int writers = 2;  // Commits that are applied at once; 1 for a storage with one writer.
  LogWriterLimits writer;
};

class Committer {
 public:
  // All but `options` are borrowed.
  Committer(EventStorage& storage, const Clock& clock, Random& random, CommitSink& sink,
            CommitObserver& observer, const CommitterOptions& options);
  // Finishes what was submitted.
  ~Committer();

  // Never blocks on storage. Runs `done` when every item has its result; what fails as a whole
  // (INVALID_ARGUMENT, too_large) is answered by the status, then `done` never runs. `request` and
  // `response` are borrowed until `done`.
  absl::Status Append(const v1::AppendRequest& request, v1::AppendResponse& response,
                      absl::AnyInvocable<void()> done);

  // Items that wait for a writer.
  std::size_t queued() const;
  // Batches that are planned and not committed yet; at most two for each writer.
  std::size_t planned() const;
  bool idle() const;
  // Stream heads found and not found in memory.
  uint64_t cache_hits() const;
  uint64_t cache_misses() const;

 private:
  const uint32_t log_count_;
  std::vector<std::unique_ptr<LogWriter>> writers_;
  std::vector<std::size_t> writer_of_log_;
};

}  // namespace bdcsync::event_store
