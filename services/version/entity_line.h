// The operations of one batch that wait on one entity branch, in order, and the heads they lead
// through: the stored one, then those that the operations before make. Decides what can be decided
// without asking anybody. Belongs to the batch's run, one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/ids.h"
#include "services/version/text_memory.h"
#include "services/version/work.h"

namespace bdcsync::version {

// Meetings that are put to the resolver in one call.
inline constexpr size_t kMeetingsPerCallMax = 1024;
// How far behind the head a base may be for the resolver to be told when each place was written
// since, and the bytes that it is told before it has asked.
inline constexpr int64_t kWritesDistanceMax = 256;
inline constexpr size_t kWritesUnaskedBytesMax = 1024;
// Bytes that it is told when it has; what is older is left out.
inline constexpr size_t kWritesBytesMax = size_t{64} << 10;
// How often it may ask about one operation, whose head may move meanwhile.
inline constexpr int kTimesWantedMax = 3;
// Bytes of documents that a run makes or puts to the resolver before it stores what it has. With
// the three documents of one more meeting (version.data_bytes_max) this stays within one message.
inline constexpr size_t kBytesInWorkMax = size_t{3} << 20;

class EntityLine {
 public:
  // What a pass over the lines has gathered for others to decide, and the bytes in work.
  struct Questions {
    std::vector<Work*> meetings;  // For the resolver.
    std::deque<Work*> doubts;     // Refusals, to be checked against the known op_ids.
    std::deque<Work*> looks;      // To be checked against them before they meet anybody.
    bool needs_bases = false;     // Something is to be read before the line goes on.
    size_t bytes_in_work = 0;
  };
  struct Tools {
    const DataLimits& limits;
    Random& random;
    bool atomic = false;  // All operations of the run stand or fall together.
  };
  using Works = absl::InlinedVector<Work*, 2>;

  // `key` is "<space>\0<stream>".
  explicit EntityLine(std::string key) : key_(std::move(key)) {}

  absl::string_view key() const { return key_; }
  absl::string_view space() const { return absl::string_view(key_).substr(0, key_.find('\0')); }
  absl::string_view stream() const { return absl::string_view(key_).substr(key_.find('\0') + 1); }
  void Add(Work* work);
  const Works& works() const { return works_; }
  // Whether every operation is answered.
  bool finished() const;
  // Whether the first operation that is not answered creates the entity.
  bool StartsWithCreate() const;
  // Drops documents that nobody needs any more; for a finished line that is not dirty.
  void Release();

  // The stored head; null while it is not known.
  const StatePtr& stored() const { return stored_; }
  // The head is `head`, as the log said (`confirmed`) or as it was remembered. Whoever is not
  // answered starts again from it.
  void SetHead(StatePtr head, bool confirmed);
  // It is not known what the log holds. Nobody's memory is asked for it again.
  void ForgetHead();
  bool distrusts_memory() const { return distrusts_memory_; }
  bool confirmed() const { return confirmed_; }
  // Every operation that is not answered starts again from the stored head.
  void Restart();

  // Bases that waiting operations name and that are not here, at most `count_max`; drops those that
  // nobody names any more.
  std::vector<int64_t> MissingBases(size_t count_max);
  // `state` is null when there is no such revision.
  void AddBase(int64_t revision, StatePtr state) {
    bases_.emplace_back(revision, std::move(state));
  }

  // Adds the operations that may be known to the log already to the questions.
  void LookUp(Questions& questions);

  // Versions to be read, without data, before text operations can be moved over them; none when
  // `count` is 0.
  TextMemory::Range MissingSteps(const DataLimits& limits) const;
  void AddSteps(const event_store::v1::ReadStreamResponse& page, const TextMemory::Range& asked);
  // What the memory of heads keeps beside the head, handed over and back.
  void SetTrail(std::shared_ptr<TextTrail> trail) { text_.SetTrail(std::move(trail)); }
  bool has_trail() const { return text_.trail() != nullptr; }
  std::shared_ptr<TextTrail> TakeTrail(const DataLimits& limits);

  // Decides operations in order until one needs an answer from outside or all are ready.
  void Advance(const Tools& tools, Questions& questions);
  // Takes the resolver's outcome of a meeting: deleted, and data unless deleted.
  void OnMet(Work* work, bool deleted, std::string data, const DataLimits& limits);
  // The resolver refused `work`: it and the meetings after it are looked at again.
  void OnMeetingFailed(Work* work, absl::Status error, const Tools& tools, Questions& questions);
  // The resolver asks when each place was written. The meetings after it are looked at again. True:
  // the whole group has to start again.
  bool OnWritesWanted(Work* work, const Tools& tools);
  // A person has to decide about `work`. True: on the stored head, so it may be put on its branch,
  // and the line waits for Resume. False: it is decided again on a head that is stored for certain.
  bool OnAsked(Work* work);
  // What was put on its branch leaves the head as it was.
  void Resume() { waits_for_append_ = false; }
  // Takes out the operations that their client made on top of `work`, which is kept on a branch.
  Works TakeFollowers(const Work* work);
  // This is the branch of a conflict, whose head is `state`, and `followers` go on from it.
  void GoOnFrom(StatePtr state, const Works& followers, const std::string& conflict_id);
  // The version of `work` is stored.
  void OnAppended(Work* work);

  int lost_races = 0;         // Appends in which another writer was first.
  bool chain_broken = false;  // In the append that is being looked at, somebody before failed.
  StatePtr found_head;        // In that append: the head that the log has instead.
  bool dirty = false;         // The memory of heads does not know stored() yet.

 private:
  bool Decide(Work* work, const Tools& tools, Questions& questions);
  // Whether the branch takes operations at all: that of a conflict only while it is open.
  absl::Status CheckBranch(const common::v1::Operation& operation) const;
  // The base that differs from the head that `work` meets; null when it does not say or is equal.
  // UNAVAILABLE: it has to be read first.
  absl::StatusOr<StatePtr> FindBase(const Work& work, const DataLimits& limits) const;
  // The state that its base_version names. Errors as FindBase.
  absl::StatusOr<StatePtr> NamedBase(const Work& work) const;
  // The version that it names; of one that follows to a branch, where the branch took it up.
  std::optional<entity::VersionId> NamedBy(const Work& work) const;
  const StatePtr* BaseAt(int64_t revision) const;
  void Refuse(Work* work, absl::Status error, const Tools& tools, Questions& questions);
  // Whether `work` may be put to the resolver; false: later.
  bool MayMeet(Work* work, const Tools& tools, Questions& questions);
  void MakeReady(Work* work, Change change, const EntityState* merged_with, const Tools& tools,
                 Questions& questions);
  void MakeMeeting(Work* work, StatePtr base, Change change, const Tools& tools,
                   Questions& questions);

  // entity_line_times.cc
  void SetWrites(Work* work);
  static void TakeWrites(const TextTrail& trail, int64_t base, Work* work);
  // The revision that a waiting operation needs the steps from; nothing: it needs none.
  std::optional<int64_t> WritesFrom(const Work& work) const;

  // entity_line_text.cc
  bool DecideText(Work* work, const Tools& tools, Questions& questions);
  bool DecideTextByStates(Work* work, const StatePtr& client, const Tools& tools,
                          Questions& questions);
  bool MakeTextReady(Work* work, TextBridge bridge, const Tools& tools, Questions& questions);
  static bool BuiltOnEarlier(const Work& work);
  static bool RepeatsEarlier(const Work& work);
  static Work* BuiltOn(const Work& work, absl::string_view path, const DataLimits& limits);
  std::optional<TextBridge> BridgeAfter(Work* work, absl::string_view path,
                                        const DataLimits& limits) const;
  absl::StatusOr<std::optional<TextBridge>> BridgeToHead(const Work& work,
                                                         const DataLimits& limits) const;
  bool MadeOnHead(const Work& work) const;
  absl::StatusOr<StatePtr> ClientStateBefore(const Work& work, const DataLimits& limits) const;
  absl::StatusOr<StatePtr> ClientStateAfter(Work* work, const DataLimits& limits) const;

  const std::string key_;
  Works works_;
  StatePtr stored_;
  StatePtr head_;  // After the operations that are ready; stored_ when there are none.
  bool confirmed_ = false;
  bool distrusts_memory_ = false;
  bool waits_for_append_ = false;  // The next operation is decided on a stored head only.
  int open_meeting_ = 0;           // The meeting whose outcome is head_; 0: head_ is known.
  StatePtr met_first_;             // What the first of the open meetings meets.
  std::vector<std::pair<int64_t, StatePtr>> bases_;
  TextMemory text_;
  StatePtr kept_;  // Of a conflict's branch: the state that the first of its followers was made on.
};

}  // namespace bdcsync::version
