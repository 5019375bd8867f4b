// Reads what was committed: entities at their head, at a version or at a time, their history, and
// the difference of two versions. Asks the log every time, so a read is never older than the last
// acknowledged write, whichever replica took it. Thread-safe; never blocks.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/version/event_log.h"

namespace bdcsync::version {

inline constexpr int kEntityQueriesMax = 1000;
inline constexpr int kHistoryPageMax = 500;
inline constexpr int kHistoryPageDefault = 50;

class Reader {
 public:
  template <typename Answer>
  using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  // `log` is borrowed and must outlive every read.
  explicit Reader(EventLog& log) : log_(log) {}

  // Fails with kInvalidArgument (too many queries) or kUnavailable; what is wrong with one query is
  // said in its state: not_found, base_not_found never, invalid_argument for a malformed key.
  void GetEntities(v1::GetEntitiesRequest request, Callback<v1::GetEntitiesResponse> callback);
  // kNotFound when the entity never existed; kInvalidArgument for a malformed key, token or limit.
  void GetHistory(const v1::GetHistoryRequest& request, Callback<v1::GetHistoryResponse> callback);
  // kNotFound when the entity or one of the versions does not exist. A deleted version counts as
  // null.
  void Diff(const v1::DiffRequest& request, Callback<v1::DiffResponse> callback);

 private:
  EventLog& log_;
};

}  // namespace bdcsync::version
