// Where operations go when the version service cannot be reached: kept on disk, committed later.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class StoreAndForward {
 public:
  // Operations that travel together: of one space, in order, and who was allowed them.
  struct Group {
    std::shared_ptr<const Caller> caller;
    std::vector<version::v1::CommitItem> items;
  };
  // One status per group.
  using Done = absl::AnyInvocable<void(std::vector<absl::Status>)>;

  virtual ~StoreAndForward() = default;
  // Whether operations of the space wait: then later ones must go behind them. Quick.
  virtual bool Holds(absl::string_view space) const = 0;
  // Keeps the groups, in order. OK means that the group is durable; kUnavailable that there is no
  // room or no disk. `done` runs once, on any thread.
  virtual void Store(std::vector<Group> groups, Done done) = 0;
};

}  // namespace bdcsync::gateway
