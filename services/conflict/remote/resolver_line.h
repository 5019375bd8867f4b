// The line to one resolver: gathers places into calls, each with a deadline, few at once, none
// while the resolver does not work, and turns whatever comes of a call into answers. Bounded in
// places, bytes, calls and time: an answer comes within twice the deadline. Thread-safe; never
// blocks but in Drain.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/call_trace.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/rpc/lane_batcher.h"
#include "services/conflict/remote/circuit_breaker.h"
#include "services/conflict/remote/question.h"
#include "services/conflict/remote/remote_resolver.h"
#include "services/conflict/remote/resolver_endpoint.h"

namespace bdcsync::conflict {

struct LineOptions {
  absl::Duration deadline = absl::Milliseconds(200);   // Of a call, and of the wait for one.
  std::size_t batch_places_max = 64;                   // In one call.
  std::size_t batch_bytes_max = std::size_t{1} << 20;  // Of one call; a larger place is not asked.
  std::size_t calls_in_flight_max = 4;
  std::size_t queue_places_max = 4096;
  std::size_t queue_bytes_max = std::size_t{16} << 20;
  QuestionLimits question;
  BreakerOptions breaker;
};

// How a call ended; a closed set.
enum class CallOutcome { kOk, kUnavailable, kDeadline, kFailed, kInvalid };
inline constexpr int kCallOutcomes = static_cast<int>(CallOutcome::kInvalid) + 1;
// "ok", "unavailable", "deadline", "failed", "invalid".
absl::string_view CallOutcomeName(CallOutcome outcome);

// Told of what happens on a line. Implementations are thread-safe and quick.
class LineObserver {
 public:
  virtual ~LineObserver() = default;
  virtual void OnCall(CallOutcome outcome, std::size_t places, absl::Duration duration) = 0;
  virtual void OnAnswer(const RemoteAnswer& answer) = 0;
  // So many places more (or fewer) wait for a call.
  virtual void OnQueue(double places) = 0;
  // After each change of the breaker.
  virtual void OnBreaker(CircuitBreaker::State state) = 0;
};

class ResolverLine {
 public:
  struct Tools {
    const Clock& clock;
    Random& random;
    LineObserver& observer;
  };

  // The tools are borrowed and must outlive the line.
  ResolverLine(std::string name, std::unique_ptr<ResolverEndpoint> endpoint, LineOptions options,
               Tools tools);
  // Waits until nothing is under way.
  ~ResolverLine() { Drain(absl::InfiniteFuture()); }
  ResolverLine(const ResolverLine&) = delete;
  ResolverLine& operator=(const ResolverLine&) = delete;

  // As RemoteResolver::ResolvePlaces.
  void Resolve(std::vector<RemotePlace> places, RemoteResolver::Answered answered);

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline);

 private:
  struct Question;
  // One place on its way.
  struct Pending {
    std::shared_ptr<Question> question;  // Shared by its places: the last answer ends it.
    std::size_t index = 0;
    std::size_t bytes = 0;
    absl::Duration asked;  // Monotonic.
  };

  void Enqueue(std::vector<Pending> pending);
  bool Reserve(const std::vector<Pending>& pending);
  void Send(std::vector<Pending> batch, absl::AnyInvocable<void()> done);
  void Call(std::vector<Pending> batch, CircuitBreaker::Permit permit,
            absl::AnyInvocable<void()> done);
  // How a call ended, and the answers of its places.
  struct CallEnd {
    CallOutcome outcome;
    std::vector<RemoteAnswer> answers;
  };
  CallEnd EndOf(const absl::StatusOr<resolver::v1::ResolveResponse>& response,
                const std::vector<const RemotePlace*>& places) const;
  // Takes out of `batch` what waited too long, and answers it.
  void DropLate(std::vector<Pending>& batch);
  void Answer(const Pending& pending, RemoteAnswer answer);
  void AnswerAll(const std::vector<Pending>& batch, NoAnswer reason);
  void TellBreaker();
  void OnStarted();
  void OnFinished();

  const std::string name_;
  const std::unique_ptr<ResolverEndpoint> endpoint_;
  const LineOptions options_;
  const Tools tools_;
  CircuitBreaker breaker_;
  std::atomic<uint64_t> lane_{0};  // Places are in no order: each has a lane of its own.
  std::atomic<std::size_t> queued_bytes_{0};
  absl::Mutex mutex_;
  std::size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;  // Callers inside, and calls.
  rpc::LaneBatcher<Pending> batcher_;                  // Last: it uses all of the above.
};

}  // namespace bdcsync::conflict
