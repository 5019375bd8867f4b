// Decides meetings with libs/merge on the spot, as the conflict service does, asks where its rules
// say so, or fails on demand. For tests. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/call_trace.h"
#include "libs/merge/three_way.h"
#include "services/version/resolver.h"

namespace bdcsync::version::testing {

class MergingResolver final : public Resolver {
 public:
  void Resolve(conflict::v1::ResolveRequest request, Callback callback) override;
  // Who asked last, when the resolver is behind a server.
  void NoteCaller(CallTrace trace);
  CallTrace last_caller();
  // While set, calls fail.
  void FailWith(absl::Status status);
  // From now on asks when the places of a head were written, where that can be told; or,
  // `for_ever`, wherever something was told or can be.
  void WantWrites(bool for_ever = false);
  // From now on merges by this rule set (docs/merging.md).
  void UseRules(const std::string& rules);
  merge::MergeResult Merge(const conflict::v1::Side& base, const conflict::v1::Side& theirs,
                           const conflict::v1::Side& ours, bool may_ask);
  // Every conflict that a change was told of, by id, still opening.
  std::map<std::string, conflict::v1::Conflict> asked();

  // Calls so far, and the request of the last one.
  int calls();
  conflict::v1::ResolveRequest last_request();

 private:
  conflict::v1::ResolveResult Decide(const conflict::v1::ResolveItem& item,
                                     const conflict::v1::Side& theirs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  merge::MergeResult MergeSides(const conflict::v1::Side& base, const conflict::v1::Side& theirs,
                                const conflict::v1::Side& ours, bool may_ask)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  conflict::v1::ResolveRequest last_ ABSL_GUARDED_BY(mutex_);
  CallTrace last_caller_ ABSL_GUARDED_BY(mutex_);
  std::optional<merge::RuleSet> rules_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, conflict::v1::Conflict> asked_ ABSL_GUARDED_BY(mutex_);
  bool wants_writes_ ABSL_GUARDED_BY(mutex_) = false;
  bool wants_for_ever_ ABSL_GUARDED_BY(mutex_) = false;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A value of a merge as JSON text; empty when there is none.
std::string TextOf(const std::optional<json::Value>& value);
// An open place of a merge, as conflict tells of it.
conflict::v1::OpenPlace PlaceOf(const merge::Decision& decision);

}  // namespace bdcsync::version::testing
