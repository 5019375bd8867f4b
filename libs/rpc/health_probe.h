// Keeps a recent answer to "does that dependency work?" for readiness, without making who asks
// wait: an answer that is too old starts a new question. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace bdcsync::rpc {

// An older answer is asked for again.
inline constexpr absl::Duration kHealthAgeMax = absl::Seconds(1);
// A dependency that is asked and says nothing is away then: it hangs, or the network does. Not a
// key: how long a replica may be unready is said to whoever asks (a probe's failureThreshold); this
// only has to be longer than any answer of one that works.
inline constexpr absl::Duration kHealthSilenceMax = absl::Seconds(5);

// UNAVAILABLE when a dependency that was asked has said nothing for too long.
absl::Status CheckSilence(absl::Duration silence);

class HealthProbe {
 public:
  using Answer = absl::AnyInvocable<void(absl::Status)>;
  // Asks the dependency and runs the answer exactly once, on any thread, at once or later; it may
  // outlive the probe.
  using Ask = std::function<void(Answer answer)>;

  // `known`: what holds until the first answer. `clock` is borrowed.
  HealthProbe(Ask ask, const Clock& clock,
              absl::Status known = absl::UnavailableError("not asked yet"));

  // The last answer, at once. UNAVAILABLE when the next one does not come.
  absl::Status Last();

 private:
  struct State;
  const Ask ask_;
  const Clock& clock_;
  const std::shared_ptr<State> state_;  // Shared with the question that is out.
};

}  // namespace bdcsync::rpc
