// One conflict on its way to its end: reads, decides, commits, and looks again when somebody else
// was first. Keeps itself alive until it is done. Its steps run one after the other, on whatever
// thread an answer arrives.
#pragma once

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/version/conflict_closer.h"

namespace bdcsync::version {

class ClosingRun : public std::enable_shared_from_this<ClosingRun> {
 public:
  // `item` and `result` are borrowed until `done` runs. `record` is what conflict holds.
  ClosingRun(const ConflictTools& tools, const v1::CloseItem& item, conflict::v1::Conflict record,
             v1::CloseResult& result, absl::AnyInvocable<void()> done);
  void Start() { Look(); }

 private:
  void Look();
  void OnStates(absl::StatusOr<ConflictStates> states);
  void OnOpen();
  // It is not open: how it was closed, or that it never was opened.
  void FindEnd();
  void OnEnd(absl::StatusOr<event_store::v1::GetOperationsResponse> operations);
  void OnEndFound(const event_store::v1::StoredOperation& fact,
                  const event_store::v1::StoredOperation& merge);
  void OnNeverOpened();
  // Beyond the window in which the log finds op_ids.
  void SearchFacts();
  void OnFacts(absl::StatusOr<event_store::v1::ReadStreamResponse> facts);

  void AskDesk();
  void OnDecided(absl::StatusOr<conflict::v1::DecideResponse> decided);
  void OnChecked();
  // Ends the conflict in `state`, with a version that makes the merge's state the head, or without.
  void Conclude(conflict::v1::ConflictState state, bool with_version);
  void Commit();
  void OnCommitted();
  void AppendEnd();
  void OnEndAppended(absl::StatusOr<event_store::v1::AppendResponse> appended);
  void OnClosed(int64_t time_ms);

  // Tells conflict what the log holds, then answers.
  void TellAndFinish(conflict::v1::Fact fact);
  void Finish();
  void Fail(const absl::Status& error);

  const ConflictTools tools_;
  const v1::CloseItem& item_;
  conflict::v1::Conflict conflict_;
  v1::CloseResult& result_;
  absl::AnyInvocable<void()> done_;
  ConflictReader reader_;
  const uint64_t decision_hash_;
  int attempts_ = 0;
  ConflictStates states_;
  conflict::v1::DecideResult decided_;
  Closing closing_;
  v1::CommitItem commit_;
  v1::CommitResult committed_;
};

}  // namespace bdcsync::version
