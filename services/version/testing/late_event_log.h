// A log and a resolver behind threads, as over a network: answers come late, on other threads, and
// some are lost, before or after the append. For tests. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "libs/base/hash.h"
#include "libs/rpc/worker_pool.h"
#include "services/version/event_log.h"
#include "services/version/resolver.h"
#include "services/version/testing/fake_event_log.h"

namespace bdcsync::version::testing {

class LateEventLog final : public EventLog {
 public:
  // One call in `loss_period` fails, half of them after the work was done; 0: none.
  LateEventLog(EventLog& log, rpc::WorkerPool& threads, uint64_t loss_period)
      : log_(log), threads_(threads), loss_period_(loss_period) {}

  void Append(event_store::v1::AppendRequest request,
              Callback<event_store::v1::AppendResponse> callback) override {
    Later(&EventLog::Append, std::move(request), std::move(callback));
  }
  void ReadHeads(event_store::v1::ReadHeadsRequest request,
                 Callback<event_store::v1::ReadHeadsResponse> callback) override {
    Later(&EventLog::ReadHeads, std::move(request), std::move(callback));
  }
  void ReadStream(event_store::v1::ReadStreamRequest request,
                  Callback<event_store::v1::ReadStreamResponse> callback) override {
    Later(&EventLog::ReadStream, std::move(request), std::move(callback));
  }
  void GetOperations(event_store::v1::GetOperationsRequest request,
                     Callback<event_store::v1::GetOperationsResponse> callback) override {
    Later(&EventLog::GetOperations, std::move(request), std::move(callback));
  }

 private:
  template <typename Request, typename Answer>
  void Later(void (EventLog::*method)(Request, Callback<Answer>), Request request,
             Callback<Answer> callback) {
    const uint64_t dice = StableHash64("loss", calls_.fetch_add(1));
    const bool lost = loss_period_ != 0 && dice % loss_period_ == 0;
    const bool done_all_the_same = (dice >> 32) % 2 == 0;
    auto task = [this, method, lost, done_all_the_same, request = std::move(request),
                 callback = std::move(callback)]() mutable {
      if (lost && !done_all_the_same) {
        callback(absl::UnavailableError("the request was lost"));
        return;
      }
      (log_.*method)(std::move(request),
                     [lost, callback = std::move(callback)](absl::StatusOr<Answer> answer) mutable {
                       if (lost) answer = absl::UnavailableError("the answer was lost");
                       callback(std::move(answer));
                     });
    };
    if (!threads_.Submit(std::move(task))) std::abort();  // The test's pool is too small.
  }

  EventLog& log_;
  rpc::WorkerPool& threads_;
  const uint64_t loss_period_;
  std::atomic<uint64_t> calls_{0};
};

class LateResolver final : public Resolver {
 public:
  LateResolver(Resolver& resolver, rpc::WorkerPool& threads)
      : resolver_(resolver), threads_(threads) {}
  void Resolve(conflict::v1::ResolveRequest request, Callback callback) override {
    auto task = [this, request = std::move(request), callback = std::move(callback)]() mutable {
      resolver_.Resolve(std::move(request), std::move(callback));
    };
    if (!threads_.Submit(std::move(task))) std::abort();  // The test's pool is too small.
  }

 private:
  Resolver& resolver_;
  rpc::WorkerPool& threads_;
};

}  // namespace bdcsync::version::testing
