// What people ask about recorded resolutions: takes them back, tries other rules on them, counts
// them. Thread-safe; never blocks but in Drain.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/merge/rule_set.h"
#include "services/conflict/active_rules.h"
#include "services/conflict/analysis_storage.h"
#include "services/conflict/desk_calls.h"
#include "services/conflict/remote/remote_rounds.h"
#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

inline constexpr int kDryRunRecordsMax = 10'000;
inline constexpr int kDryRunRecordsDefault = 1000;
inline constexpr int kDryRunChangesMax = 100;  // That are told.
// Places that a dry run asks other programs about at once, and those of one record more: it must
// not keep commits from being asked about.
inline constexpr size_t kDryRunAskedAtOnce = 64;
inline constexpr int kAnalyzeGroupsMax = 1000;
inline constexpr int kAnalyzeGroupsDefault = 50;
inline constexpr int64_t kAnalyzeBucketMinMs = 60'000;
inline constexpr int64_t kAnalyzeBucketDefaultMs = 3'600'000;

struct RecordDeskLimits {
  // A resolution can be taken back for so long.
  absl::Duration undo_window = absl::Hours(24);
  // Records, and conflicts, that one analysis counts; the newest.
  int64_t analysis_records_max = 1'000'000;
  // Records that a dry run may read to find those of its entity type, their bytes, and its time.
  int64_t dry_run_read_max = 100'000;
  size_t dry_run_bytes_max = size_t{64} << 20;
  absl::Duration dry_run_time_max = absl::Seconds(20);
  // Dry runs and analyses at once; more are refused.
  int heavy_max = 2;
  size_t matching_work_max = 1'000'000;
  size_t decisions_max = 256;
};

class RecordDesk {
 public:
  template <typename Response>
  using Answer = DeskCalls::Answer<Response>;
  using Rules = std::function<std::shared_ptr<const ActiveRules>()>;

  // All are borrowed and must outlive the desk; `rules` gives the sets that hold, `checks` is how
  // one that is tried is read.
  RecordDesk(ResolutionStorage& records, AnalysisStorage& analysis, Rules rules,
             const merge::RuleSetContext& checks, const RemoteAccess& remote,
             rpc::WorkerPool& workers, const Clock& clock, RecordDeskLimits limits);
  RecordDesk(const RecordDesk&) = delete;
  RecordDesk& operator=(const RecordDesk&) = delete;

  // In all of them: kInvalidArgument with the field at fault; UNAVAILABLE when the store cannot be
  // reached, or when too much is tried and counted at this moment.
  //   kNotFound            there is no such record.
  //   kPreconditionFailed  it was undone, its time has passed, or `resolved` is not what it made.
  void PlanUndo(const v1::PlanUndoRequest& request, Answer<v1::PlanUndoResponse> answer);
  //   kPreconditionFailed  another version has undone it.
  void RecordUndone(const v1::RecordUndoneRequest& request,
                    Answer<v1::RecordUndoneResponse> answer);
  // Asks the programs that rules `remote` name, as a commit would, but for a part of their places
  // at once. Records nothing.
  void DryRun(const v1::DryRunRequest& request, Answer<v1::DryRunResponse> answer);
  void Analyze(const v1::AnalyzeRequest& request, Answer<v1::AnalyzeResponse> answer);

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline) { calls_.Drain(deadline); }

 private:
  absl::StatusOr<v1::PlanUndoResponse> Plan(const v1::PlanUndoRequest& request);
  absl::StatusOr<v1::DryRunResponse> Try(const v1::DryRunRequest& request,
                                         const ActiveRules& tried);
  // Tries `tried` on all of `records`, asking for no longer than until `end` (monotonic).
  void TryAll(const std::vector<v1::Resolution>& records, const ActiveRules& tried,
              absl::Duration end, v1::DryRunResponse& response);
  absl::StatusOr<v1::AnalyzeResponse> Count(const AnalysisQuery& query);
  // Runs `work`, unless too much of its kind is under way.
  template <typename Response>
  void RunHeavy(absl::AnyInvocable<absl::StatusOr<Response>()> work, Answer<Response> answer);

  ResolutionStorage& records_;
  AnalysisStorage& analysis_;
  const Rules rules_;
  const merge::RuleSetContext& checks_;
  const RemoteAccess& remote_;
  const Clock& clock_;
  const RecordDeskLimits limits_;
  std::atomic<int> heavy_{0};
  DeskCalls calls_;  // Last: its calls use all of the above.
};

}  // namespace bdcsync::conflict
