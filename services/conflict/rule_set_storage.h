// Where rule sets are kept: a port, with an adapter for each store. Blocking; call it on a worker
// thread. What has been acknowledged is durable. Thread-safe. Beside what the methods say:
//   UNAVAILABLE, ABORTED  nothing is known, or nothing was changed: try again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

// The place at fault when another version holds than was expected.
inline constexpr absl::string_view kExpectedVersion = "expected_version";

struct StoredRuleSet {
  v1::RuleSet set;
  std::string removed_by;  // Who took it out of force for the defaults; empty: nobody.
};

// All sets that hold, at one moment.
struct RuleSetsThatHold {
  int64_t revision = 0;
  std::vector<v1::RuleSet> sets;
};

struct NewRuleSet {
  v1::RuleSet set;  // Without version and active.
  // The version that must hold, 0: none may; nothing: whichever does.
  std::optional<int64_t> expected_version;
  int types_max = 0;  // Types with a set that holds.
};

class RuleSetStorage {
 public:
  virtual ~RuleSetStorage() = default;

  // Keeps the next version of its type, which holds from now on, and returns it.
  //   kPreconditionFailed  another version holds than was expected (at kExpectedVersion).
  //   kQuotaExceeded       too many types have rules (at "entity_type").
  virtual absl::StatusOr<v1::RuleSet> Put(const NewRuleSet& added) = 0;
  // From now on none of the type holds. False: none did.
  virtual absl::StatusOr<bool> Remove(const std::string& entity_type,
                                      const std::string& author) = 0;
  // The version, or with 0 the one that holds; nothing when there is none.
  virtual absl::StatusOr<std::optional<v1::RuleSet>> Get(const std::string& entity_type,
                                                         int64_t version) = 0;
  // The latest version of `author`; nothing when there is none.
  virtual absl::StatusOr<std::optional<StoredRuleSet>> LatestOf(const std::string& entity_type,
                                                                const std::string& author) = 0;
  // Those that hold, of types after `after`, in order of type.
  virtual absl::StatusOr<std::vector<v1::RuleSet>> ListHolding(const std::string& after,
                                                               int limit) = 0;
  // Versions of a type before `before` (0: all), the newest first.
  virtual absl::StatusOr<std::vector<v1::RuleSet>> ListVersions(const std::string& entity_type,
                                                                int64_t before, int limit) = 0;
  // Grows with every change of what holds.
  virtual absl::StatusOr<int64_t> Revision() = 0;
  virtual absl::StatusOr<RuleSetsThatHold> ReadHolding() = 0;
};

}  // namespace bdcsync::conflict
