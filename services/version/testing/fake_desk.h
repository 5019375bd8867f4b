// Conflict's desk in memory, beside a resolver that asks: keeps what it is told, merges as choices
// say (of members of the document), or fails on demand. For tests. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/version/conflict_desk.h"
#include "services/version/testing/merging_resolver.h"

namespace bdcsync::version::testing {

class FakeDesk final : public ConflictDesk {
 public:
  explicit FakeDesk(MergingResolver& resolver) : resolver_(resolver) {}

  void RecordFacts(conflict::v1::RecordFactsRequest request,
                   Callback<conflict::v1::RecordFactsResponse> callback) override;
  void GetConflicts(conflict::v1::GetConflictsRequest request,
                    Callback<conflict::v1::GetConflictsResponse> callback) override;
  void Decide(conflict::v1::DecideRequest request,
              Callback<conflict::v1::DecideResponse> callback) override;
  // Plans to go back to what PlanFor was told of.
  void PlanUndo(conflict::v1::PlanUndoRequest request,
                Callback<conflict::v1::PlanUndoResponse> callback) override;
  void RecordUndone(conflict::v1::RecordUndoneRequest request,
                    Callback<conflict::v1::RecordUndoneResponse> callback) override;

  void PlanFor(absl::StatusOr<conflict::v1::Side> merged);
  // While set, facts are not taken; and no call at all.
  void RefuseFacts(absl::Status status);
  void FailWith(absl::Status status);
  // Runs once, before the next Decide is looked at.
  void BeforeNextDecide(std::function<void()> hook);
  // The next facts are not answered before ReleaseFacts; no thread waits for it.
  void HoldFacts();
  void ReleaseFacts();
  // Forgets every record but what the resolver asked.
  void Forget();

  // What it was told of a conflict, or that it is opening; empty state: it knows nothing.
  conflict::v1::Conflict Record(const std::string& conflict_id);
  std::vector<conflict::v1::Fact> facts();
  std::vector<conflict::v1::RecordUndoneRequest> undone();
  conflict::v1::PlanUndoRequest last_plan();

 private:
  conflict::v1::Conflict RecordOf(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  conflict::v1::DecideResult DecideItem(const conflict::v1::DecideItem& item)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  MergingResolver& resolver_;
  absl::Mutex mutex_;
  std::map<std::string, conflict::v1::Conflict> records_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<conflict::v1::Choice>> kept_ ABSL_GUARDED_BY(mutex_);
  std::vector<conflict::v1::Fact> facts_ ABSL_GUARDED_BY(mutex_);
  std::vector<conflict::v1::RecordUndoneRequest> undone_ ABSL_GUARDED_BY(mutex_);
  conflict::v1::PlanUndoRequest plan_request_ ABSL_GUARDED_BY(mutex_);
  absl::StatusOr<conflict::v1::Side> plan_ ABSL_GUARDED_BY(mutex_) = conflict::v1::Side();
  absl::Status facts_failure_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> hook_ ABSL_GUARDED_BY(mutex_);
  bool hold_facts_ ABSL_GUARDED_BY(mutex_) = false;
  absl::AnyInvocable<void()> held_facts_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::version::testing
