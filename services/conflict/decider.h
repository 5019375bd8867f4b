// The service itself: decides meetings at once and answers when the record of every decision is
// durable. Thread-safe; never blocks.
#pragma once

#include <functional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/conflict/recorder.h"
#include "services/conflict/resolve.h"

namespace bdcsync::conflict {

class Decider {
 public:
  using Decided = absl::AnyInvocable<void(absl::StatusOr<v1::ResolveResponse>)>;
  // Told of every decided meeting.
  using Observer = std::function<void(const v1::ResolveResult& result)>;

  // `recorder` is borrowed and must outlive the decider.
  Decider(Recorder& recorder, ResolveLimits limits, Observer observer)
      : recorder_(recorder), limits_(limits), observer_(std::move(observer)) {}

  //   kInvalidArgument  too many items.
  //   UNAVAILABLE       the decisions are not recorded: ask again.
  // What is wrong with one item is said in its result.
  void Resolve(const v1::ResolveRequest& request, Decided decided);

 private:
  Recorder& recorder_;
  const ResolveLimits limits_;
  const Observer observer_;
};

}  // namespace bdcsync::conflict
