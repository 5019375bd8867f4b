// What the commit path tells whoever counts. Methods are quick and thread-safe.
#pragma once

#include <cstddef>

#include "bdcsync/common/v1/common.pb.h"

namespace bdcsync::version {

class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  // A batch of operations is on its way.
  virtual void OnBatch(size_t operations) = 0;
  // An operation was answered.
  virtual void OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) = 0;
  // Operations met changes that they did not know, and were put to the resolver.
  virtual void OnMeetings(size_t meetings) = 0;
  // Another writer was first on an entity.
  virtual void OnLostRace() = 0;
};

}  // namespace bdcsync::version
