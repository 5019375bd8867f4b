// One writer's way into a storage: commits are applied in the order in which they were sent, and
// where the storage can, one may be sent behind another that is not answered yet. A line is
// thread-safe, a commit of it is not.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

class CommitLine {
 public:
  class Commit {
   public:
    virtual ~Commit() = default;
    // Names it for one that is sent behind it, never twice the same, in any process; 0: none can
    // be sent behind it, nor this one behind another.
    virtual uint64_t id() const = 0;
    // Hands it over; once. With `behind`, the id of the commit that was sent before it on the same
    // line, nothing of it is applied unless all parts of that one were: what it says of streams and
    // spaces rests on them, which the positions of its logs alone do not prove.
    virtual void Send(uint64_t behind) = 0;
    // Waits for the answer, which is that of EventStorage::Commit; once, after Send.
    virtual absl::StatusOr<std::vector<bool>> Await() = 0;
  };

  virtual ~CommitLine() = default;
  // Makes ready all that can be before it is sent. `writes` are borrowed until it is answered.
  virtual std::unique_ptr<Commit> Prepare(absl::Span<const LogWrite> writes) = 0;
};

}  // namespace bdcsync::event_store
