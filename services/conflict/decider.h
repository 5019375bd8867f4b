// The service itself: decides meetings and answers when the record of every decision is durable.
// Without scripts among the rules it decides at once, else on a worker. Thread-safe; never blocks
// but in Drain.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/rpc/worker_pool.h"
#include "services/conflict/desk_calls.h"
#include "services/conflict/recorder.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {

class Decider {
 public:
  using Decided = absl::AnyInvocable<void(absl::StatusOr<v1::ResolveResponse>)>;
  // Told of every decided meeting.
  struct Observer {
    std::function<void(const v1::ResolveResult& result)> on_resolved;
    // Told of every run of a script.
    std::function<void(absl::string_view entity_type, const absl::Status& run)> on_script;
  };
  // The rules that hold; asked once for each call, on any thread.
  using Rules = std::function<std::shared_ptr<const ActiveRules>()>;

  // `recorder`, `workers` and `clock` are borrowed and must outlive the decider.
  Decider(Recorder& recorder, rpc::WorkerPool& workers, const Clock& clock, Rules rules,
          ResolveLimits limits, Observer observer)
      : recorder_(recorder),
        clock_(clock),
        rules_(std::move(rules)),
        limits_(limits),
        observer_(std::move(observer)),
        scripts_(workers) {}

  //   kInvalidArgument  too many items.
  //   UNAVAILABLE       the decisions are not recorded: ask again.
  // What is wrong with one item is said in its result. `request` must live until `decided` runs.
  void Resolve(const v1::ResolveRequest& request, Decided decided);

  // Returns when nothing is under way on a worker, or at `deadline`.
  void Drain(absl::Time deadline) { scripts_.Drain(deadline); }

 private:
  // Decides, on the thread that calls.
  Resolved ResolveNow(const v1::ResolveRequest& request, const ActiveRules& rules) const;
  // Records what was decided, then answers.
  void Keep(const v1::ResolveRequest& request, Resolved resolved, Decided decided);

  Recorder& recorder_;
  const Clock& clock_;
  const Rules rules_;
  const ResolveLimits limits_;
  const Observer observer_;
  DeskCalls scripts_;  // Last: its calls use all of the above.
};

}  // namespace bdcsync::conflict
