// What the commit path tells whoever counts and logs. Methods are quick and thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/base/call_trace.h"
#include "services/version/text_work.h"

namespace bdcsync::version {

// Whether the resolver was told when each place of a head was written.
enum class WritesTold {
  kUnasked,  // It was, since that was in memory.
  kAsked,    // It was when it had asked.
  kTooFar,   // It was not: the base is too far behind.
};

class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  // A batch of operations is on its way.
  virtual void OnBatch(size_t operations) = 0;
  // An operation was answered.
  virtual void OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) = 0;
  // Operations met changes that they did not know, and were put to the resolver.
  virtual void OnMeetings(size_t meetings) = 0;
  // One of them has a base that lies several versions behind.
  virtual void OnWrites(WritesTold told) = 0;
  // A text operation was committed, and got to the head on this way.
  virtual void OnText(TextRoute route) = 0;
  // Another writer was first on an entity.
  virtual void OnLostRace() = 0;
  // `batch` holds operations of several calls.
  virtual void OnJoined(const CallTrace& batch, const std::vector<const CallTrace*>& calls) = 0;
  // The caller was told to try an operation again, since a service did not answer. The thread's
  // CallScope is that of its batch.
  virtual void OnSentBack(const common::v1::Operation& operation, const absl::Status& why) = 0;
  // A change was kept on a branch until a person decides.
  virtual void OnConflictOpened() = 0;
  // A conflict came to its end: `state` is one of the closed ones.
  virtual void OnConflictClosed(conflict::v1::ConflictState state) = 0;
  // Conflict was not told what the log holds of conflicts.
  virtual void OnFactsLost(size_t facts, const absl::Status& why) = 0;
};

}  // namespace bdcsync::version
