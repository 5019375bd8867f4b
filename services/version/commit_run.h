// One batch of operations on its way into the log: reads the heads it needs, lets the lines decide,
// asks resolver and log what they cannot know, appends, and looks again at what lost a race, until
// every operation is answered. Keeps itself alive until then. Its steps run one after the other, on
// whatever thread an answer arrives.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/version/commit_limits.h"
#include "services/version/commit_observer.h"
#include "services/version/entity_line.h"
#include "services/version/event_log.h"
#include "services/version/fact_recorder.h"
#include "services/version/head_cache.h"
#include "services/version/resolver.h"
#include "services/version/work.h"

namespace bdcsync::version {

// Streams of facts that are read at once; fewer when they are too large together.
inline constexpr size_t kFactsAtOnceMax = 64;

class CommitRun : public std::enable_shared_from_this<CommitRun> {
 public:
  // Borrowed by every run; outlive them all.
  struct Tools {
    EventLog& log;
    Resolver& resolver;
    HeadCache& cache;
    Random& random;
    CommitObserver& observer;
    FactRecorder& facts;
    const CommitLimits& limits;
  };

  // Runs `operations` to the end, then `done`. Of one entity, no operation may be in another run.
  // With `atomic` they apply together or not at all.
  static void Start(const Tools& tools, std::vector<PendingOperation> operations, bool atomic,
                    absl::AnyInvocable<void()> done);

  CommitRun(const Tools& tools, std::vector<PendingOperation> operations, bool atomic,
            absl::AnyInvocable<void()> done);

 private:
  static std::string KeyOf(const common::v1::EntityKey& key);
  // Whether an atomic run has an operation with the op_id of `work` already; `firsts` has those,
  // which are looked up first.
  bool IsRepeat(Work* work, absl::flat_hash_map<absl::string_view, const Work*>& firsts);
  // An atomic run in which one op_id stands for two operations is refused before it begins.
  void RefuseReused();
  // Answers the repeats of what was committed since the last time. Refusals have reached them.
  void AnswerRepeats();
  // The lines that are worked on: all but the finished ones, or fewer at a time when their heads
  // together are too large to be read.
  std::vector<EntityLine*> Wave();
  // The steps, in order. Each that has to ask returns true, and Proceed runs again after the
  // answer.
  void Proceed();
  bool LoadHeads(const std::vector<EntityLine*>& wave);
  bool LoadSteps(const std::vector<EntityLine*>& wave);
  bool LoadBases(const std::vector<EntityLine*>& wave);
  void Decide(const std::vector<EntityLine*>& wave);
  bool Ask();
  bool LoadFacts();
  bool Append();

  // Asks `questions` things; when all of them and the asker have arrived, `then` runs, and Proceed.
  void Expect(int questions, absl::AnyInvocable<void()> then);
  void Arrive();

  void ReadHeads(const std::vector<EntityLine*>& lines);
  void OnHeads(const std::vector<EntityLine*>& lines);
  // Reads streams at once, each into its place in `pages_`, and asks for `looks` beside them.
  void ReadStreams(std::vector<event_store::v1::ReadStreamRequest> requests,
                   absl::AnyInvocable<void()> then, const std::vector<Work*>& looks = {});
  void OnBases(const std::vector<std::pair<EntityLine*, int64_t>>& wanted);
  void AskResolver(const std::vector<Work*>& meetings);
  void OnMet(const std::vector<Work*>& meetings);
  // Takes the next operations whose op_ids are to be looked up, at most `known_at_once_`.
  std::vector<Work*> TakeDoubts();
  void AskKnown(const std::vector<Work*>& works);
  void OnKnown(const std::vector<Work*>& works);
  void OnAppended(const std::vector<Work*>& works, int items);
  void OnAppendResult(Work* work, event_store::v1::AppendResult& result);
  void OnAppendError(Work* work, event_store::v1::AppendResult& result);

  // What a person has to decide (commit_openings.cc).
  void OnAsked(Work* work, conflict::v1::Conflict& conflict);
  void OnFacts(const std::vector<Work*>& works);
  // Too many are open: the operation is decided again, without asking.
  void SetFacts(Work* work, FactsHead facts);
  static void SetAppendItem(Work& work, uint32_t group, event_store::v1::AppendItem& item);
  // Adds the group that opens a conflict, or what closes one beside its merge.
  void AddConflictItems(Work& work, event_store::v1::AppendRequest& request);
  // The results of such a group, from the one at `at`.
  void OnOpened(Work* work, int at);
  void OnClosed(Work* work, int at);
  // Of the results of a group that failed: the place of the one that failed it.
  int CulpritAmong(int begin, int count) const;
  void AnswerOpened(Work* work, const event_store::v1::Appended& appended);
  // What the client made on top of `work`, whose change is kept, goes on from it on the branch.
  void KeepFollowers(Work* work, const StatePtr& state, const std::string& conflict_id);

  static void SetKept(const std::string& conflict_id, v1::CommitResult& result);

  // What the entity has become, as far as the answer has a place for it.
  static void SetData(const Work& work, const std::string& data);
  void AnswerStored(Work* work, const event_store::v1::Appended& appended);
  void AnswerDuplicate(Work* work, const event_store::v1::Event& event, uint64_t epoch);
  void AnswerError(Work* work, const absl::Status& error);
  void Answer(Work* work);
  // Nothing is known of an operation, or of what the log holds: all of its line are sent back.
  void SendBack(EntityLine* line, const absl::Status& error);
  // Answers with a refusal for good; in an atomic run the others are refused because of it.
  void Refuse(Work* work, const absl::Status& error);
  void RestartGroup();
  // Tells callers and cache what has been answered since the last time.
  void Publish();

  EntityLine::Tools line_tools() {
    return {.limits = tools_.limits.data, .random = tools_.random, .atomic = atomic_};
  }

  const Tools tools_;
  const bool atomic_;
  absl::AnyInvocable<void()> done_;
  std::vector<Work> works_;
  std::deque<EntityLine> lines_;
  std::deque<Work*> first_looks_;  // An atomic run looks all its op_ids up first.
  std::vector<std::pair<Work*, const Work*>> repeats_;  // Of an atomic run, each with its first.
  size_t heads_at_once_;  // Halved when the log says that they are too large together.
  size_t known_at_once_;
  bool stalled_ = false;       // Nothing was asked since the last pass.
  bool starts_again_ = false;  // An atomic group, before the next pass.
  EntityLine::Questions questions_;
  std::vector<std::shared_ptr<CommitCall>> answered_;
  // Conflicts that were opened since Publish, and who waits until conflict was told of them.
  std::vector<conflict::v1::Fact> opened_;
  std::vector<std::shared_ptr<CommitCall>> told_;
  uint32_t last_group_ = 0;  // Of the append that is being made.
  size_t facts_at_once_ = kFactsAtOnceMax;

  std::atomic<int> expected_{0};
  absl::AnyInvocable<void()> then_;
  // Answers to the questions under way; each is written by one callback before it arrives.
  absl::StatusOr<event_store::v1::ReadHeadsResponse> heads_;
  absl::StatusOr<event_store::v1::ReadHeadsResponse> facts_;
  std::vector<absl::StatusOr<event_store::v1::ReadStreamResponse>> pages_;
  absl::StatusOr<conflict::v1::ResolveResponse> decided_;
  absl::StatusOr<event_store::v1::GetOperationsResponse> known_;
  absl::StatusOr<event_store::v1::AppendResponse> appended_;
};

}  // namespace bdcsync::version
