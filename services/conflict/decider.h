// The service itself: decides meetings and answers when the record of every decision is durable.
// Without scripts among the rules it decides at once, else on a worker. Where rules ask other
// programs it decides in rounds: what is to be asked, then the same again with the answers, until
// nothing is left to ask or the time for it is up. Thread-safe; never blocks but in Drain.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/rpc/worker_pool.h"
#include "services/conflict/desk_calls.h"
#include "services/conflict/recorder.h"
#include "services/conflict/remote/remote_rounds.h"
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

  // All are borrowed and must outlive the decider.
  Decider(Recorder& recorder, rpc::WorkerPool& workers, const RemoteAccess& remote,
          const Clock& clock, Rules rules, ResolveLimits limits, Observer observer)
      : recorder_(recorder),
        remote_(remote),
        clock_(clock),
        rules_(std::move(rules)),
        limits_(limits),
        observer_(std::move(observer)),
        scripts_(workers) {}
  // Waits until nothing is under way.
  ~Decider() { Drain(absl::InfiniteFuture()); }
  Decider(const Decider&) = delete;
  Decider& operator=(const Decider&) = delete;

  //   kInvalidArgument  too many items.
  //   UNAVAILABLE       the decisions are not recorded: ask again.
  // What is wrong with one item is said in its result. `request` must live until `decided` runs.
  void Resolve(const v1::ResolveRequest& request, Decided decided);

  // Returns when nothing is under way on a worker or at another program, or at `deadline`.
  void Drain(absl::Time deadline);

 private:
  struct Call;

  // Goes on with the call: on a worker when there are scripts, else on this thread.
  void Continue(const std::shared_ptr<Call>& call);
  // Decides what can be decided and asks for the rest. True: all answers are there already.
  bool RunRound(const std::shared_ptr<Call>& call);
  // True: the answers are there.
  bool Ask(const std::shared_ptr<Call>& call);
  // Records what was decided, then answers.
  void Keep(Call& call);
  // The call has its outcome, but for the record.
  void OnEnded(const Call& call);

  Recorder& recorder_;
  const RemoteAccess& remote_;
  const Clock& clock_;
  const Rules rules_;
  const ResolveLimits limits_;
  const Observer observer_;
  absl::Mutex mutex_;
  size_t asking_ ABSL_GUARDED_BY(mutex_) = 0;  // Calls that have asked other programs.
  DeskCalls scripts_;                          // Last: its calls use all of the above.
};

}  // namespace bdcsync::conflict
