// The rounds in which one call asks other programs: what deciding has found is asked for, then it
// is decided again with the answers, until nothing is left to ask or the time for it is up. Not
// thread-safe but for the answers, which may come on any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "services/conflict/remote/remote_questions.h"
#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

// How a call reaches other programs. What it refers to is borrowed.
struct RemoteAccess {
  RemoteResolver& resolver;
  const Clock& clock;
  // After it nobody else is asked for one call: the `else` decides.
  absl::Duration wait_max = absl::Seconds(2);
  // Told how many places the `else` decided because the time was up; may be nothing.
  std::function<void(std::size_t places)> on_out_of_time;
};

class RemoteRounds {
 public:
  // `access` is borrowed. The time begins now.
  RemoteRounds(const RemoteAccess& access, RemoteQuestions::MeetingOf meeting_of)
      : access_(access),
        questions_(std::move(meeting_of)),
        stop_at_(access.clock.Monotonic() + access.wait_max) {}

  // Answers rules `remote` while the call is decided.
  RemoteQuestions& questions() { return questions_; }
  bool has_asked() const { return has_asked_; }

  // Before the call is decided, the first time or again: takes the answers that have come. Returns
  // how long they were waited for.
  absl::Duration Begin();
  // Asks for what was found. True: the answers are there. Else `then` runs when they are, on any
  // thread; it keeps this alive.
  [[nodiscard]] bool Ask(absl::AnyInvocable<void()> then);
  // As Ask, but waits for the answers. Not on a thread that answers.
  void AskAndWait();
  // All is decided: tells what was left to the `else` for want of time.
  void End() const;

 private:
  const RemoteAccess& access_;
  RemoteQuestions questions_;
  const absl::Duration stop_at_;  // Monotonic.
  absl::Duration asked_at_;       // Monotonic; when the round that is out began.
  // The round that is out: its questions, and room for their answers.
  std::vector<RemoteQuestions::Batch> batches_;
  std::vector<std::vector<RemoteAnswer>> answers_;
  std::atomic<std::size_t> waiting_{0};  // For so many resolvers, and for whoever asks them.
  bool has_asked_ = false;
};

}  // namespace bdcsync::conflict
