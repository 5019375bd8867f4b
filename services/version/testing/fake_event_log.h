// The log as event_store.proto promises it, in memory, for tests of the domain: atomic groups,
// exact heads, idempotency, and faults on demand. Answers before the call returns. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/call_trace.h"
#include "services/version/event_log.h"

namespace bdcsync::version::testing {

class FakeEventLog final : public EventLog {
 public:
  void Append(event_store::v1::AppendRequest request,
              Callback<event_store::v1::AppendResponse> callback) override;
  void ReadHeads(event_store::v1::ReadHeadsRequest request,
                 Callback<event_store::v1::ReadHeadsResponse> callback) override;
  void ReadStream(event_store::v1::ReadStreamRequest request,
                  Callback<event_store::v1::ReadStreamResponse> callback) override;
  void GetOperations(event_store::v1::GetOperationsRequest request,
                     Callback<event_store::v1::GetOperationsResponse> callback) override;

  // Appends straight to the store, as another replica would.
  event_store::v1::AppendResponse AppendElsewhere(event_store::v1::AppendRequest request);
  // Runs once, before the next Append is looked at.
  void BeforeNextAppend(std::function<void()> hook);
  // No op_id is known any more, as after the log's window for them.
  void ForgetOperations();
  // Heads or operations of a call that hold more bytes together are refused as too large.
  void LimitAnswers(size_t bytes_max);
  // The server of this space gives no answer.
  void SetAway(const std::string& space);
  // Who asked last, when the log is behind a server.
  void NoteCaller(CallTrace trace);
  CallTrace last_caller();
  // While set, calls fail; appends still happen if `lose_answers`.
  void FailWith(absl::Status status, bool lose_answers = false);

  std::vector<event_store::v1::Event> Stream(const std::string& space, const std::string& name);
  std::vector<std::string> StreamNames(const std::string& space);
  size_t event_count();
  int appends();
  int head_reads();
  int operation_reads();
  int stream_reads();
  size_t largest_append();

 private:
  using Key = std::pair<std::string, std::string>;
  using Events = std::vector<event_store::v1::Event>;

  event_store::v1::AppendResponse Apply(const event_store::v1::AppendRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the group in [begin, end), which does not apply as a whole.
  void TakeBack(const event_store::v1::AppendRequest& request, int begin, int end,
                event_store::v1::AppendResponse& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  event_store::v1::AppendResult ApplyItem(const event_store::v1::AppendItem& item)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::map<Key, Events> streams_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t> seqs_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, event_store::v1::StoredOperation> operations_ ABSL_GUARDED_BY(mutex_);
  int64_t position_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t time_ms_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the call that is being applied.
  CallTrace last_caller_ ABSL_GUARDED_BY(mutex_);
  std::string away_ ABSL_GUARDED_BY(mutex_);  // A space.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool lose_answers_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> hook_ ABSL_GUARDED_BY(mutex_);
  int appends_ ABSL_GUARDED_BY(mutex_) = 0;
  int head_reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int operation_reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int stream_reads_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t answer_bytes_max_ ABSL_GUARDED_BY(mutex_) = size_t{12} << 20;
  size_t largest_append_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::version::testing
