// What people and workers ask about conflicts: lists them, tells what is due, gives them to users,
// merges them as was chosen, asking other programs where rules say so, and keeps what the log is
// known to hold of them. The log is right where the two differ. Thread-safe; never blocks but in
// Drain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "services/conflict/desk_calls.h"
#include "services/conflict/desk_storage.h"
#include "services/conflict/due_turns.h"
#include "services/conflict/merge_conflict.h"
#include "services/conflict/remote/remote_rounds.h"

namespace bdcsync::conflict {

inline constexpr int kDeskItemsMax = 100;  // Conflicts in one Decide or GetConflicts.
inline constexpr int kFactsMax = 1000;     // In one RecordFacts.
inline constexpr int kDeskPageMax = 500;   // Conflicts in one page.
inline constexpr int kDeskPageDefault = 50;
inline constexpr int kDuePageDefault = 100;
inline constexpr size_t kUserIdBytesMax = 256;
// An answer stops before the conflict that would make it larger; the first is always in it.
inline constexpr size_t kDeskAnswerBytesMax = size_t{4} << 20;
// Attempts at what others change at the same time.
inline constexpr int kDeskAttemptsMax = 3;
// Choices kept for one conflict.
inline constexpr size_t kKeptChoicesBytesMax = size_t{1} << 20;

struct DeskLimits {
  // A conflict that is opening for longer is uncertain: was its change committed?
  absl::Duration opening_grace = absl::Seconds(10);
  // An open one is compared with the log this often.
  absl::Duration verify_interval = absl::Minutes(1);
  // Of those that are due and cannot be closed so many are stepped over.
  int due_stepped_over_max = 1000;
};

// What is due at `now_ms`, `limit` of it.
DueQuery DueAt(int64_t now_ms, const DeskLimits& limits, int limit);

class ConflictDesk {
 public:
  template <typename Response>
  using Answer = DeskCalls::Answer<Response>;
  struct Observer {
    // Told of every conflict that the log is said to have closed, as often as it is said.
    std::function<void(v1::ConflictState state)> on_closed;
    // More that are due cannot be closed than are stepped over.
    std::function<void()> on_too_many_due;
  };

  // All are borrowed and must outlive the desk.
  ConflictDesk(DeskStorage& storage, const ConflictMerger& merger, const RemoteAccess& remote,
               rpc::WorkerPool& workers, const Clock& clock, DeskLimits limits, Observer observer);
  ConflictDesk(const ConflictDesk&) = delete;
  ConflictDesk& operator=(const ConflictDesk&) = delete;

  // In all of them: kInvalidArgument for a request that can never succeed, with the field at fault;
  // UNAVAILABLE when the store cannot be reached.
  void List(const v1::ListConflictsRequest& request, Answer<v1::ListConflictsResponse> answer);
  void Get(const v1::GetConflictsRequest& request, Answer<v1::GetConflictsResponse> answer);
  void RecordFacts(const v1::RecordFactsRequest& request, Answer<v1::RecordFactsResponse> answer);
  void ListDue(const v1::ListDueRequest& request, Answer<v1::ListDueResponse> answer);
  //   kNotFound, kPreconditionFailed  there is no such conflict; it is closed.
  void Assign(const v1::AssignRequest& request, Answer<v1::AssignResponse> answer);
  // What is wrong with one conflict is said in its result. Nobody else is asked for longer than
  // the time for it: then the `else` of their rules decides, as wherever they fail.
  void Decide(const v1::DecideRequest& request, Answer<v1::DecideResponse> answer);

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline) { calls_.Drain(deadline); }

 private:
  absl::StatusOr<v1::ListConflictsResponse> ListPage(const ConflictQuery& query);
  absl::StatusOr<v1::ListDueResponse> ListDuePage(int limit);

  // conflict_desk_decide.cc
  struct DecideCall;
  void Continue(const std::shared_ptr<DecideCall>& call);
  // Decides what can be decided. False: other programs have to be asked first.
  absl::StatusOr<bool> DecideAll(DecideCall& call);
  bool DecideOne(int index, DecideCall& call);
  absl::StatusOr<bool> Merge(int index, StoredConflict& stored, DecideCall& call);
  // False: somebody else has kept or closed meanwhile.
  absl::StatusOr<bool> Keep(const v1::DecideItem& item, const std::vector<v1::Choice>& kept,
                            const StoredConflict& stored);
  int64_t NowMs() const;

  DeskStorage& storage_;
  const ConflictMerger& merger_;
  const RemoteAccess& remote_;
  const Clock& clock_;
  const DeskLimits limits_;
  const Observer observer_;
  DueTurns turns_;
  DeskCalls calls_;  // Last: its calls use all of the above.
};

}  // namespace bdcsync::conflict
