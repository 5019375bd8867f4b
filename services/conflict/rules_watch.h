// Keeps the rule sets of this process those that hold: looks at the store and at the file on an
// interval, and at once when it is told to (by the bus, or a signal). Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/timed_cond_var.h"
#include "libs/bus/bus.h"
#include "libs/log/logger.h"
#include "services/conflict/rule_set_registry.h"
#include "services/conflict/rules_file.h"

namespace bdcsync::conflict {

// Where replicas tell each other that other rule sets hold; the message is empty.
inline constexpr absl::string_view kRulesChannel = "bdcsync.conflict.rules.v1";

class RulesWatch {
 public:
  // `file`: empty for none. `registry` and `bus` are borrowed and must outlive the watch.
  RulesWatch(RuleSetRegistry& registry, bus::Bus& bus, std::string file, absl::Duration interval,
             const log::Logger& logger);
  ~RulesWatch();
  RulesWatch(const RulesWatch&) = delete;
  RulesWatch& operator=(const RulesWatch&) = delete;

  // Looks once, then begins to watch. The status of the first look at the store; a file that cannot
  // be used is logged, and looked at again.
  absl::Status Start();
  // Looks soon, on a thread of its own.
  void LookSoon();

 private:
  void Run();
  absl::Status LookAtStore();
  // Logs a failure once, until it is another or none. True when there is none.
  bool Tell(const absl::Status& status, absl::string_view what, std::string& told) const;
  void LookAtFile();

  RuleSetRegistry& registry_;
  bus::Bus& bus_;
  const absl::Duration interval_;
  const log::Logger logger_;
  std::unique_ptr<RulesFile> file_;  // Null: none. Used by one look at a time.
  // The failures that were logged last; empty: all is well.
  std::string told_of_store_;
  std::string told_of_file_;
  absl::Mutex mutex_;
  TimedCondVar called_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<bus::Subscription> subscription_;
  std::thread thread_;  // From Start on.
};

}  // namespace bdcsync::conflict
