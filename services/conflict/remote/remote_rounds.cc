#include "services/conflict/remote/remote_rounds.h"

#include <memory>

#include "absl/synchronization/notification.h"

namespace bdcsync::conflict {

absl::Duration RemoteRounds::Begin() {
  const absl::Duration now = access_.clock.Monotonic();
  const absl::Duration waited = batches_.empty() ? absl::ZeroDuration() : now - asked_at_;
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    questions_.Put(batches_[i], std::move(answers_[i]));
  }
  batches_.clear();
  if (now >= stop_at_) questions_.Stop();
  return waited;
}

bool RemoteRounds::Ask(absl::AnyInvocable<void()> then) {
  has_asked_ = true;
  asked_at_ = access_.clock.Monotonic();
  batches_ = questions_.Take();
  answers_.assign(batches_.size(), {});
  waiting_ = batches_.size() + 1;
  // Shared by the answers: the last of them runs it.
  const auto held = std::make_shared<absl::AnyInvocable<void()>>(std::move(then));
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    RemoteQuestions::Batch& batch = batches_[i];
    access_.resolver.ResolvePlaces(batch.resolver, std::move(batch.places),
                                   [this, held, i](std::vector<RemoteAnswer> answers) {
                                     answers_[i] = std::move(answers);
                                     if (waiting_.fetch_sub(1) == 1) (*held)();
                                   });
  }
  return waiting_.fetch_sub(1) == 1;
}

void RemoteRounds::AskAndWait() {
  // Shared with the last answer, which may still be leaving Notify when this goes on.
  const auto answered = std::make_shared<absl::Notification>();
  if (!Ask([answered] { answered->Notify(); })) answered->WaitForNotification();
}

void RemoteRounds::End() const {
  if (questions_.given_up() > 0 && access_.on_out_of_time) {
    access_.on_out_of_time(questions_.given_up());
  }
}

}  // namespace bdcsync::conflict
