#include "libs/rpc/health_probe.h"

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/call_trace.h"
#include "libs/base/status.h"

namespace bdcsync::rpc {

struct HealthProbe::State {
  explicit State(absl::Status known) : answer(std::move(known)) {}

  absl::Mutex mutex;
  absl::Status answer ABSL_GUARDED_BY(mutex);
  std::optional<absl::Duration> asked_at ABSL_GUARDED_BY(mutex);
  bool asking ABSL_GUARDED_BY(mutex) = false;
};

absl::Status CheckSilence(absl::Duration silence) {
  if (silence < kHealthSilenceMax) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("no answer for ", absl::ToInt64Seconds(silence), " s"));
}

HealthProbe::HealthProbe(Ask ask, const Clock& clock, absl::Status known)
    : ask_(std::move(ask)), clock_(clock), state_(std::make_shared<State>(std::move(known))) {}

absl::Status HealthProbe::Last() {
  const absl::Duration now = clock_.Monotonic();
  {
    absl::MutexLock lock(&state_->mutex);
    const bool fresh = state_->asked_at && now - *state_->asked_at < kHealthAgeMax;
    if (state_->asking) RETURN_IF_ERROR(CheckSilence(now - *state_->asked_at));
    if (fresh || state_->asking) return state_->answer;
    state_->asking = true;
    state_->asked_at = now;
  }
  const CallScope scope({});  // The question serves everybody, not who happened to need it.
  ask_([state = state_](absl::Status answer) {
    absl::MutexLock lock(&state->mutex);
    state->answer = std::move(answer);
    state->asking = false;
  });
  absl::MutexLock lock(&state_->mutex);
  return state_->answer;
}

}  // namespace bdcsync::rpc
