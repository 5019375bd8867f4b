// The rule sets of all entity types: checks and keeps new ones, and holds those that are in force
// ready for use. What another replica changed is seen at the next Refresh, at the latest. Blocking
// but for active(); thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/merge/script_port.h"
#include "services/conflict/active_rules.h"
#include "services/conflict/rule_set_storage.h"
#include "services/conflict/snapshot.h"

namespace bdcsync::conflict {

inline constexpr size_t kRuleSetBytesMax = 256 << 10;
inline constexpr size_t kRuleSetDepthMax = 64;
inline constexpr size_t kAuthorBytesMax = 256;
inline constexpr int kRulePageMax = 500;
inline constexpr int kRulePageDefault = 50;
// An answer stops before the set that would make it larger; the first is always in it.
inline constexpr size_t kRulePageBytesMax = size_t{3} << 20;
// Who "stores" what conflict.rules_file holds.
inline constexpr absl::string_view kFileAuthor = "file";

// JSON text by entity type.
using RuleTexts = std::map<std::string, std::string>;

class RuleSetRegistry {
 public:
  struct Options {
    int types_max = 1000;
    // The programs that rules may ask; nothing: any name.
    std::optional<absl::flat_hash_set<std::string>> resolvers;
  };
  struct Observer {
    // Told of every look at the store: whether it could be read and whether something changed.
    std::function<void(const absl::Status& read, bool changed)> on_read;
    // Told when this process has changed which sets hold: others should look.
    std::function<void()> on_changed;
  };

  // `storage`, `scripts` and `clock` are borrowed and must outlive the registry.
  RuleSetRegistry(RuleSetStorage& storage, const merge::ScriptCompiler& scripts, const Clock& clock,
                  Options options, Observer observer);

  // The sets that hold, as far as is known; the defaults before the first Refresh. Never blocks.
  std::shared_ptr<const ActiveRules> active() const { return active_.Get(); }

  // Looks whether others hold now. A set that cannot be used leaves the one known before in force,
  // and is told of in the status, which is otherwise UNAVAILABLE or the like: nothing changed.
  absl::Status Refresh();

  // kInvalidArgument names the place at fault: in the rules a JSON pointer (/rules/3/else), else a
  // field. kTooLarge, kTooDeep, kPreconditionFailed, kQuotaExceeded; UNAVAILABLE: try again.
  absl::StatusOr<v1::PutRuleSetResponse> Put(const v1::PutRuleSetRequest& request);
  absl::StatusOr<v1::GetRuleSetResponse> Get(const v1::GetRuleSetRequest& request);
  absl::StatusOr<v1::ListRuleSetsResponse> List(const v1::ListRuleSetsRequest& request);
  absl::StatusOr<v1::RemoveRuleSetResponse> Remove(const v1::RemoveRuleSetRequest& request);

  // Takes over what a file holds: a type whose text differs from the last one that came from a file
  // gets a new version; one that a file no longer holds, and whose set came from it, loses it. All
  // are checked first; when one is wrong nothing changes, and the error names its type and place.
  absl::Status PutFile(const RuleTexts& sets);

 private:
  // What is stored may name a resolver that is gone since: the `else` decides in its place. Names
  // of users are checked when they are new.
  enum class Names { kKnown, kAny };
  absl::StatusOr<merge::RuleSet> Compile(absl::string_view rules, Names names) const;
  // True when something was stored.
  absl::StatusOr<bool> PutFromFile(const std::string& entity_type, const std::string& rules);
  absl::StatusOr<bool> RemoveMissing(const RuleTexts& sets);
  absl::StatusOr<v1::RuleSet> Store(const NewRuleSet& added);
  void Changed();

  RuleSetStorage& storage_;
  const merge::ScriptCompiler& scripts_;
  const Clock& clock_;
  const Options options_;
  const Observer observer_;
  absl::Mutex refreshing_;  // Held while the store is read, so that what is older never replaces.
  std::optional<int64_t> revision_ ABSL_GUARDED_BY(refreshing_);  // That `active_` holds whole.
  Snapshot<ActiveRules> active_;
};

}  // namespace bdcsync::conflict
