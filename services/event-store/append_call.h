// One Append on its way through the committer: the request, the results so far, and who is told
// when the last result is there. Results of different items may be filled by different threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "bdcsync/event_store/v1/event_store.pb.h"

namespace bdcsync::event_store {

class AppendCall {
 public:
  using Done = absl::AnyInvocable<void()>;

  // `request` and `response` are borrowed until `done` runs, which is on the thread that finishes
  // the last item.
  AppendCall(const v1::AppendRequest& request, v1::AppendResponse& response, Done done)
      : request_(request),
        response_(response),
        done_(std::move(done)),
        unfinished_(request.items_size() + 1) {
    response_.mutable_results()->Reserve(request.items_size());
    for (int i = 0; i < request.items_size(); ++i) response_.add_results();
  }

  int size() const { return request_.items_size(); }
  const v1::AppendItem& item(int index) const { return request_.items(index); }
  v1::AppendResult& result(int index) { return *response_.mutable_results(index); }

  // `count` more items have their results. Whoever made the call finishes one more at the end.
  void Finish(int count) {
    if (unfinished_.fetch_sub(count, std::memory_order_acq_rel) == count) done_();
  }

 private:
  const v1::AppendRequest& request_;
  v1::AppendResponse& response_;
  Done done_;
  std::atomic<int> unfinished_;
};

// One item of a call. The call is shared by its items, which may travel in different batches.
struct PendingItem {
  std::shared_ptr<AppendCall> call;
  int index = 0;

  const v1::AppendItem& item() const { return call->item(index); }
  v1::AppendResult& result() const { return call->result(index); }
};

// Items with their logs; those of a log are in order.
using ItemsOfLogs = std::vector<std::pair<uint32_t, PendingItem>>;

// Sets the error of a result.
void SetError(const absl::Status& status, v1::AppendResult& result);

}  // namespace bdcsync::event_store
