#include "services/device-sync/storage_probe.h"

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::device_sync {
namespace {

// An older answer is asked for again.
constexpr absl::Duration kAnswerAgeMax = absl::Seconds(1);

}  // namespace

struct StorageProbe::State {
  explicit State(Ping question) : ping(std::move(question)) {}

  const Ping ping;
  absl::Mutex mutex;
  absl::Status answer ABSL_GUARDED_BY(mutex);
  std::optional<absl::Duration> asked_at ABSL_GUARDED_BY(mutex);
  bool asking ABSL_GUARDED_BY(mutex) = false;
};

StorageProbe::StorageProbe(Ping ping, Submit submit, const Clock& clock)
    : submit_(std::move(submit)), clock_(clock), state_(std::make_shared<State>(std::move(ping))) {}

absl::Status StorageProbe::Last() {
  const absl::Duration now = clock_.Monotonic();
  {
    absl::MutexLock lock(&state_->mutex);
    const bool fresh = state_->asked_at && now - *state_->asked_at < kAnswerAgeMax;
    if (fresh || state_->asking) return state_->answer;
    state_->asking = true;
    state_->asked_at = now;
  }
  const bool asked = submit_([state = state_] {
    const absl::Status answer = state->ping();
    absl::MutexLock lock(&state->mutex);
    state->answer = answer;
    state->asking = false;
  });
  absl::MutexLock lock(&state_->mutex);
  if (!asked) {
    state_->asking = false;
    state_->answer = absl::UnavailableError("too many requests wait for a worker");
  }
  return state_->answer;
}

}  // namespace bdcsync::device_sync
